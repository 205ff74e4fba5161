#pragma once
// Asks the upstreams: of the longest domain that has its own, else of all others. Identical questions in
// flight are one upstream query; an attempt that takes too long is joined by one at the next upstream, within
// a budget of 1.9 s. Used on its io_context's thread only.

#include <boost/asio/steady_timer.hpp>
#include <unordered_map>

#include "actors/dns/domain_routes.hpp"
#include "actors/dns/io/loop_watch.hpp"
#include "actors/dns/io/upstream_group.hpp"

namespace egress::dns {

class forwarder {
 public:
  // The upstream's reply, checked; empty when none answered in time.
  using done = std::function<void(bytes reply)>;

  // `config` and `counters` outlive the forwarder.
  forwarder(boost::asio::io_context& context, const worker_config& config, worker_counters& counters);
  ~forwarder();

  // Whether one more may wait (--dns-max-concurrent).
  bool has_room() const { return !closed_ && waiting_ < limits_.max_concurrent; }
  // `on_done` is called once, later. There must be room.
  void ask(const query& asked, done on_done);
  // Everyone who waits gets an empty reply, now; no question is taken any more.
  void fail_all();

  // These upstreams take the place of config.upstreams; questions in flight end with those they began with.
  void use(const upstream_list& servers);
  // Every query that arrives, before it is answered: one of our own loop checks is refused.
  reaction judge(reaction judged, const query& asked) {
    return config_.loops ? config_.loops->judge(judged, asked) : judged;
  }

 private:
  using group_ptr = std::shared_ptr<upstream_group>;
  struct attempt {
    std::uint64_t number = 0;
    std::size_t upstream = 0;
    std::shared_ptr<exchange> io;
  };
  struct pending {
    pending(boost::asio::io_context& context, const query& query, group_ptr of)
        : asked(std::make_shared<const kept_query>(query)),
          key(sharing_key(query)),
          group(std::move(of)),
          timer(context) {}
    kept_query_ptr asked;
    std::string key;
    group_ptr group;
    boost::asio::steady_timer timer;
    std::chrono::steady_clock::time_point deadline;
    std::vector<done> waiters;
    std::vector<attempt> attempts;   // under way
    std::vector<std::size_t> tried;  // upstreams, in order
    std::vector<std::uint8_t> poor;  // a SERVFAIL or REFUSED, for when nobody knows better
  };
  using pending_ptr = std::shared_ptr<pending>;

  group_ptr make_group(const wire_name& domain, upstream_list servers);
  const group_ptr& group_for(const wire_name& name) const;
  void upstream_checked();
  void try_next(const pending_ptr& question);
  void launch(const pending_ptr& question, std::size_t upstream);
  void wait(const pending_ptr& question, std::chrono::milliseconds patience);
  void patience_over(const pending_ptr& question);
  void attempt_ended(const pending_ptr& question, std::uint64_t number, bytes reply);
  void replied(const pending_ptr& question, bytes reply);
  void finish(const pending_ptr& question, bytes reply);
  void drop_attempts(pending& question);

  boost::asio::io_context& context_;
  const worker_config& config_;
  forwarder_limits limits_;
  worker_counters& counters_;
  group_ptr default_group_;
  domain_routes routes_;  // to positions in domain_groups_
  std::vector<group_ptr> domain_groups_;
  std::unordered_map<std::string, pending_ptr> pending_;
  std::uint64_t attempts_made_ = 0;
  std::size_t waiting_ = 0;
  bool closed_ = false;
};

}  // namespace egress::dns
