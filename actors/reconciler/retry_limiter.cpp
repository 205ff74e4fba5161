#include "actors/reconciler/retry_limiter.hpp"

#include <algorithm>

namespace egress::reconciler {

milliseconds retry_limiter::next(const std::string& key, moment at) {
  constexpr milliseconds first{5}, cap{1'000'000};
  constexpr unsigned doublings_to_cap = 18;  // 5 ms × 2¹⁸ is beyond it
  auto& mine = failed_[key];
  if (mine.failures > 0 && at.now < mine.due) return std::chrono::ceil<milliseconds>(mine.due - at.now);
  const auto base = std::min(first * (1L << std::min(mine.failures++, doublings_to_cap)), cap);
  const auto more = static_cast<double>(base.count()) * 0.5 * std::clamp(at.random, 0.0, 1.0);
  const auto delay = base + milliseconds(static_cast<long>(more));
  mine.due = at.now + delay;
  return delay;
}

unsigned retry_limiter::failures(const std::string& key) const {
  const auto found = failed_.find(key);
  return found == failed_.end() ? 0 : found->second.failures;
}

}  // namespace egress::reconciler
