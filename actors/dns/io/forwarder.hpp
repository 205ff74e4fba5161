#pragma once
// Asks the upstreams. Identical questions in flight are one upstream query; an attempt that takes too long is
// joined by one at the next upstream, within a budget of 1.9 s. Used on its io_context's thread only.

#include <boost/asio/steady_timer.hpp>
#include <random>
#include <unordered_map>

#include "actors/dns/counters.hpp"
#include "actors/dns/io/exchange.hpp"
#include "actors/dns/io/upstreams.hpp"

namespace egress::dns {

class forwarder {
 public:
  // The upstream's reply, checked; empty when none answered in time.
  using done = std::function<void(bytes reply)>;

  forwarder(boost::asio::io_context& context, std::vector<upstream_address> addresses,
            forwarder_limits limits, worker_counters& counters);
  ~forwarder();

  // Whether one more may wait (--dns-max-concurrent).
  bool has_room() const { return !closed_ && waiting_ < limits_.max_concurrent; }
  // `on_done` is called once, later. There must be room.
  void ask(const query& asked, done on_done);
  // Everyone who waits gets an empty reply, now; no question is taken any more.
  void fail_all();

 private:
  struct attempt {
    std::shared_ptr<exchange> io;
    std::size_t upstream = 0;
    std::chrono::steady_clock::time_point began;
  };
  struct pending {
    pending(boost::asio::io_context& context, const query& query)
        : asked(std::make_shared<const kept_query>(query)), key(sharing_key(query)), timer(context) {}
    kept_query_ptr asked;
    std::string key;
    boost::asio::steady_timer timer;
    std::chrono::steady_clock::time_point deadline;
    std::vector<done> waiters;
    std::vector<attempt> attempts;   // under way
    std::vector<std::size_t> tried;  // upstreams, in order
    std::vector<std::uint8_t> poor;  // a SERVFAIL or REFUSED, for when nobody knows better
  };
  using pending_ptr = std::shared_ptr<pending>;

  void try_next(const pending_ptr& question);
  void launch(const pending_ptr& question, std::size_t upstream);
  void wait(const pending_ptr& question, std::chrono::milliseconds patience);
  void patience_over(const pending_ptr& question);
  void replied(const pending_ptr& question, std::size_t upstream, bytes reply);
  void finish(const pending_ptr& question, bytes reply);
  void drop_attempts(pending& question);
  void probe_later();
  void probe();

  boost::asio::io_context& context_;
  upstreams upstreams_;
  forwarder_limits limits_;
  worker_counters& counters_;
  std::unordered_map<std::string, pending_ptr> pending_;
  std::size_t waiting_ = 0;
  bool closed_ = false;
  boost::asio::steady_timer probe_timer_;
  bool probing_ = false;
  std::random_device random_;
};

}  // namespace egress::dns
