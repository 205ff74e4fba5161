#pragma once
// How long to wait before a failed list or watch is tried again: client-go's reflector, in numbers.

#include <chrono>
#include <optional>

#include "runtime/base/time.hpp"

namespace egress::informer {

struct backoff_policy {
  milliseconds first{800};
  double factor = 2;
  milliseconds cap{30'000};           // of the delay before its jitter
  double jitter = 1.0;                // adds up to this share of the delay, so that replicas spread out
  milliseconds reset_after{120'000};  // so long without a failure makes the next one the first
};

class backoff {
 public:
  explicit backoff(backoff_policy policy = {}) : policy_(policy) {}

  // Counts a failure; how long to wait before the next try.
  milliseconds next(moment at);

  // Nothing has failed for `reset_after`, or ever.
  bool quiet(steady_time now) const { return !last_ || now - *last_ > policy_.reset_after; }

 private:
  backoff_policy policy_;
  milliseconds delay_{0};            // the last one, without jitter
  std::optional<steady_time> last_;  // when the last wait was over
};

}  // namespace egress::informer
