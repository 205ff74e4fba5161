#pragma once
// Which ExternalService is reconciled next: dedupe_queue, delayed_keys and retry_limiter put together, with
// the bound on concurrency and the facts for workqueue_* metrics. Pure: one owner, time comes in.
//
//   add() ──▶ queued ──take()──▶ processed ──done()──▶ gone, or queued again, or later (next_due())

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>

#include "actors/reconciler/dedupe_queue.hpp"
#include "actors/reconciler/delayed_keys.hpp"
#include "actors/reconciler/retry_limiter.hpp"

namespace egress::reconciler {

struct job {
  std::string key;
  kind_mask changed = 0;  // child kinds that changed since the run before
  priority how = priority::people;
  std::chrono::nanoseconds queued_for{};
  // Nobody waits for this run: it only writes a first status, or belongs to a first list with at least
  // max_concurrent more keys queued.
  bool patient = false;
};

// How a run ended.
struct verdict {
  bool success = true;                        // false: again after the back-off
  std::optional<milliseconds> requeue_after;  // success: again after this, even if nothing changes
  bool status_later = false;                  // success: again when nobody waits for children
  milliseconds asked_to_wait{0};              // failure: the back-off is so long at least
  bool terminal = false;  // it is refused, or a child is, until a person changes something
};

struct queue_metrics {
  std::uint64_t adds = 0, retries = 0;  // since the start
  std::size_t depth = 0, processing = 0, delayed = 0;
  std::chrono::duration<double> unfinished{}, longest_running{};
};

class work_queue {
 public:
  // max_concurrent: how many keys may be processed at once; at least 1.
  explicit work_queue(unsigned max_concurrent) : max_concurrent_(max_concurrent == 0 ? 1 : max_concurrent) {}

  void add(const std::string& key, priority how, kind_mask changed, steady_time now);
  void add_after(const std::string& key, priority how, milliseconds delay, steady_time now);

  // The next key to reconcile; nothing when none is due or max_concurrent are processed, and no status that
  // can wait while a run for children is younger than a second. Whoever takes a key owes done() for it,
  // however the run ends.
  std::optional<job> take(steady_time now);
  // Of a key that is processed: which child kinds changed meanwhile.
  kind_mask changed_meanwhile(const std::string& key) const { return ready_.changed_meanwhile(key); }
  // And that those can wait until nobody waits for children, as a status can.
  void put_off(const std::string& key) { ready_.put_off(key); }
  // How long the run took.
  std::chrono::nanoseconds done(const std::string& key, verdict how, moment at);

  // The ExternalService is gone: nothing of the key is kept, except that it may be queued or processed now.
  void forget(const std::string& key);

  // When take() may have something new though nothing was added or done; arm one timer for it.
  std::optional<steady_time> next_due() const;

  bool idle() const { return running_.empty(); }
  // Whether other ExternalServices of the initial list than this one wait for their children: for their first
  // run, or in it for less than a second.
  bool others_wait(const std::string& key, steady_time now) const;
  queue_metrics metrics(steady_time now) const;

 private:
  struct run {
    steady_time since;
    priority how;
  };

  void move_due(steady_time now);
  bool only_statuses_left() const;
  steady_time statuses_wait_until() const;

  std::size_t max_concurrent_;
  dedupe_queue ready_;
  delayed_keys delayed_;
  retry_limiter limiter_;
  std::unordered_map<std::string, run> running_;
  std::uint64_t adds_ = 0, retries_ = 0;
};

}  // namespace egress::reconciler
