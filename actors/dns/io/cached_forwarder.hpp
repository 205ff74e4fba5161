#pragma once
// The cache in front of the forwarder: answers at once what it can, asks upstream for the rest, and falls
// back on stale answers when no upstream does. Used on its loop's thread only.

#include <boost/asio/steady_timer.hpp>

#include "actors/dns/cached_answer.hpp"
#include "actors/dns/io/forwarder.hpp"

namespace egress::dns {

// An answer and whose it is.
struct sourced_answer {
  outcome made;  // answered; or forward: an upstream must be asked
  plugin from = plugin::none;
};

// When it is that an answer is wanted.
struct answer_moment {
  cache_time now;
  // Upstreams are not asked: that costs several times what an answer of our own does, which others wait for.
  bool hurried = false;
};

class cached_forwarder {
 public:
  // A later answer; `made` tells what it is. Called once.
  using done = std::function<void(const sourced_answer& told, bytes answer)>;

  // `table` is looked at whenever an answer is made: it is the owner's, who replaces it.
  cached_forwarder(boost::asio::io_context& context, const worker_config& config, worker_counters& counters,
                   const std::shared_ptr<const hijack_table>& table);
  ~cached_forwarder();

  // What can be said now, into `out`, which has answer_room bytes at least and is as large as the client
  // takes. Never `forward` for `. NS`. Allocates nothing for a fresh answer.
  sourced_answer answer(const query& asked, forward_kind how, answer_moment at, buffer out);
  // Asks upstream, after answer() gave `forward`. The answer is at most `limit` bytes, answer_room or more.
  void ask(const query& asked, forward_kind how, std::size_t limit, done on_done);
  // As the forwarder's.
  void use(const upstream_list& servers) { forwarder_.use(servers); }
  reaction judge(reaction judged, const query& asked) { return forwarder_.judge(judged, asked); }
  // Everyone who waits gets SERVFAIL or a stale answer, now; no question is taken any more.
  void fail_all() { forwarder_.fail_all(); }

 private:
  struct waiting;

  cache& cache_for(const query& asked);
  sourced_answer from_cache(const query& asked, forward_kind how, const cache_finding& found, cache_time now,
                            buffer out);
  sourced_answer first_time(const query& asked, forward_kind how, answer_moment at, buffer out);
  void count(const cache_finding& found);
  void refresh(const query& asked, bool expired) noexcept;
  waiting& wait_for(const query& asked, forward_kind how, std::size_t limit, done on_done);
  void be_patient(waiting& client);
  void give_back(waiting& client);
  void learn(const query& asked, bytes reply);
  void settle(waiting& client, bytes reply);
  bool answer_stale(waiting& client);

  boost::asio::io_context& context_;
  const worker_config& config_;
  worker_counters& counters_;
  const std::shared_ptr<const hijack_table>& table_;
  cache cache_;
  cache root_;  // `. NS` in its variants: known whatever else is, and with the cache off
  std::array<std::uint64_t, cache_kinds> evictions_told_{};
  std::vector<std::unique_ptr<waiting>> clients_;  // all there have been at once
  std::vector<waiting*> spare_;                    // of these, who waits for nothing
  std::uint64_t waits_ = 0;                        // ever
  std::vector<std::uint8_t> answer_;               // room for one
  forwarder forwarder_;                            // goes first: it calls back into the rest
};

}  // namespace egress::dns
