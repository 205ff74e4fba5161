#include "actors/reconciler/retry_limiter.hpp"

#include <algorithm>

namespace egress::reconciler {

namespace {

milliseconds backoff_after(unsigned failures, double random) {
  constexpr milliseconds first{5}, cap{1'000'000};
  constexpr unsigned doublings_to_cap = 18;  // 5 ms × 2¹⁸ is beyond it
  const auto base = std::min(first * (1L << std::min(failures - 1, doublings_to_cap)), cap);
  const auto more = static_cast<double>(base.count()) * 0.5 * std::clamp(random, 0.0, 1.0);
  return base + milliseconds(static_cast<long>(more));
}

}  // namespace

milliseconds retry_limiter::next(const std::string& key, steady_time began, moment at, milliseconds asked) {
  auto& mine = failed_[key];
  const bool in_turn = mine.failures == 0 || began >= mine.due;
  if (in_turn) ++mine.failures;
  if (in_turn || at.now >= mine.due) mine.due = at.now + backoff_after(mine.failures, at.random);
  mine.due = std::max(mine.due, at.now + asked);
  return std::chrono::ceil<milliseconds>(mine.due - at.now);
}

unsigned retry_limiter::failures(const std::string& key) const {
  const auto found = failed_.find(key);
  return found == failed_.end() ? 0 : found->second.failures;
}

}  // namespace egress::reconciler
