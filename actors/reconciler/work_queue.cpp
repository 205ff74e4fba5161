#include "actors/reconciler/work_queue.hpp"

#include <algorithm>

namespace egress::reconciler {
namespace {

// A run that takes longer is no reason to keep a status back: a webhook, a server that hangs or is slow.
constexpr std::chrono::seconds children_take{1};

// What failed has had its turn: its tries may go on for as long as something is broken.
priority of_a_retry(priority was) {
  return was == priority::listed ? priority::background : was;
}

}  // namespace

void work_queue::add(const std::string& key, priority how, kind_mask changed, steady_time now) {
  if (ready_.add(key, how, changed, now)) ++adds_;
}

void work_queue::add_after(const std::string& key, priority how, milliseconds delay, steady_time now) {
  if (delay <= milliseconds(0)) return add(key, how, 0, now);
  delayed_.add(key, how, now + delay);
}

void work_queue::move_due(steady_time now) {
  for (const auto& [key, how] : delayed_.take_due(now)) add(key, how, 0, now);
}

std::optional<job> work_queue::take(steady_time now) {
  move_due(now);
  if (running_.size() >= max_concurrent_) return std::nullopt;
  if (only_statuses_left() && statuses_wait_until() > now) return std::nullopt;
  const auto next = ready_.take();
  if (!next) return std::nullopt;
  // This run sees what the later one would have looked for, and says itself when to look again.
  delayed_.erase(next->key);
  running_.emplace(next->key, run{now, next->how});
  const bool patient = next->how == priority::last ||
                       (next->how == priority::listed && ready_.depth(priority::listed) >= max_concurrent_);
  return job{next->key, next->changed, next->how, now - next->since, patient};
}

std::chrono::nanoseconds work_queue::done(const std::string& key, verdict how, moment at) {
  const auto found = running_.find(key);
  if (found == running_.end()) return {};
  const auto was = found->second;
  running_.erase(found);
  if (how.success) {
    limiter_.forget(key);
    if (how.requeue_after) add_after(key, priority::background, *how.requeue_after, at.now);
    if (how.status_later) add(key, priority::last, 0, at.now);
  } else {
    ++retries_;
    const auto delay = limiter_.next(key, was.since, at, how.asked_to_wait);
    add_after(key, of_a_retry(was.how), delay, at.now);
  }
  ready_.done(key, at.now);
  return at.now - was.since;
}

void work_queue::forget(const std::string& key) {
  limiter_.forget(key);
  delayed_.erase(key);
}

std::optional<steady_time> work_queue::next_due() const {
  const auto later = delayed_.next_due();
  if (!only_statuses_left() || running_.empty() || running_.size() >= max_concurrent_) return later;
  return std::min(later.value_or(steady_time::max()), statuses_wait_until());
}

bool work_queue::others_wait(const std::string& key, steady_time now) const {
  return ready_.depth(priority::listed) > 0 || std::ranges::any_of(running_, [&](const auto& one) {
           return one.second.how == priority::listed && one.first != key &&
                  one.second.since + children_take > now;
         });
}

bool work_queue::only_statuses_left() const {
  return ready_.depth() > 0 && ready_.depth() == ready_.depth(priority::last);
}

steady_time work_queue::statuses_wait_until() const {
  auto until = steady_time::min();
  for (const auto& [key, run] : running_)
    if (run.how == priority::listed) until = std::max(until, run.since + children_take);
  return until;
}

queue_metrics work_queue::metrics(steady_time now) const {
  queue_metrics out{.adds = adds_,
                    .retries = retries_,
                    .depth = ready_.depth(),
                    .processing = running_.size(),
                    .delayed = delayed_.size()};
  for (const auto& [key, run] : running_) {
    const std::chrono::duration<double> since = now - run.since;
    out.unfinished += since;
    out.longest_running = std::max(out.longest_running, since);
  }
  return out;
}

}  // namespace egress::reconciler
