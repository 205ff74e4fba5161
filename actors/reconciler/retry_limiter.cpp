#include "actors/reconciler/retry_limiter.hpp"

#include <algorithm>

namespace egress::reconciler {

milliseconds retry_limiter::next(const std::string& key, double random) {
  constexpr milliseconds first{5}, cap{1'000'000};
  constexpr unsigned doublings_to_cap = 18;  // 5 ms × 2¹⁸ is beyond it
  const auto failed = failures_[key]++;
  const auto base = std::min(first * (1L << std::min(failed, doublings_to_cap)), cap);
  return base + milliseconds(static_cast<long>(static_cast<double>(base.count()) * 0.5 *
                                               std::clamp(random, 0.0, 1.0)));
}

unsigned retry_limiter::failures(const std::string& key) const {
  const auto found = failures_.find(key);
  return found == failures_.end() ? 0 : found->second;
}

}  // namespace egress::reconciler
