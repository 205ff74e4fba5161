#pragma once
// Asks the upstreams: of the longest domain that has its own, else of all others. Identical questions in
// flight are one upstream query; an attempt that takes too long is joined by one at the next upstream, within
// a budget of 1.9 s. Used on its io_context's thread only.

#include <boost/asio/steady_timer.hpp>

#include "actors/dns/domain_routes.hpp"
#include "actors/dns/io/loop_watch.hpp"
#include "actors/dns/io/pending_questions.hpp"

namespace egress::dns {

class forwarder {
 public:
  // The upstream's reply, checked; empty when none answered in time.
  using done = pending_question::done;
  // The same, told once for all who ask the same, before they are.
  using learn = std::function<void(const query& asked, bytes reply)>;

  // `config` and `counters` outlive the forwarder.
  forwarder(boost::asio::io_context& context, const worker_config& config, worker_counters& counters,
            learn on_reply);
  ~forwarder();

  // Whether one more may wait for the upstreams of this question (--dns-max-concurrent). Each group of
  // upstreams has a room of its own: one that is silent takes nothing from the others.
  bool has_room(const query& asked) const {
    return !closed_ && waiting_[part_of(asked.name)] < limits_.max_concurrent;
  }
  // Whether this question is under way.
  bool is_asking(const query& asked) const { return pending_.find(asked) != nullptr; }
  // `on_done` is called once, later; never when this throws (std::bad_alloc). There must be room.
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
  using time = std::chrono::steady_clock::time_point;
  static constexpr std::size_t all_others = 0;  // the part of the names that are in no domain

  group_ptr make_group(const wire_name& domain, upstream_list servers);
  // Of the namespace: whose upstreams are asked for this name.
  std::size_t part_of(const wire_name& name) const {
    const auto domain = routes_.find(name);
    return domain ? *domain + 1 : all_others;
  }
  void upstream_checked();
  void try_next(pending_question& question, time now);
  void launch(pending_question& question, const query& asked, std::size_t upstream, time now);
  void wait(pending_question& question, std::chrono::milliseconds patience, time now);
  void tick_later();
  void patience_over(pending_question& question, time now);
  void attempt_ended(pending_question& question, exchange& io, bytes reply);
  void replied(pending_question& question, std::size_t upstream, bytes reply, bool plain);
  void go_on(pending_question& question, time now);
  void drop_late_attempts(pending_question& question, std::size_t upstream);
  bool is_hopeless(const pending_question& question) const;
  bool asks_plainly(pending_question& question, time now);
  void finish(pending_question& question, bytes reply, bool keep = true);
  void drop_attempts(pending_question& question);

  boost::asio::io_context& context_;
  const worker_config& config_;
  forwarder_limits limits_;
  worker_counters& counters_;
  learn learn_;
  std::shared_ptr<datagram_room> room_ = std::make_shared<datagram_room>();
  pending_questions pending_;
  timer_wheel patience_;
  boost::asio::steady_timer tick_;
  bool ticking_ = false;
  domain_routes routes_;               // to positions in config.domains
  std::vector<group_ptr> groups_;      // one a part
  std::vector<std::size_t> waiting_;   // clients, one number a part
  std::vector<std::uint8_t> plain_;    // a reply whose rcode was more than the header has
  std::vector<std::uint8_t> trimmed_;  // a reply without what its question does not lead to
  bool closed_ = false;
};

}  // namespace egress::dns
