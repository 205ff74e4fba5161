#pragma once
// How long a process that ended by itself is left alone: CrashLoopBackOff, in the times of a person who
// watches. Pure.

#include <algorithm>

#include "runtime/base/time.hpp"

namespace egress::dev {

class crash_backoff {
 public:
  // The wait after an end, the process having run this long: none after the first, then a second, and twice
  // as long each time up to half a minute. Who ran for ten seconds starts over.
  milliseconds next(milliseconds ran) {
    if (ran >= seconds{10}) ends_ = 0;
    const auto wait = ends_ == 0 ? milliseconds{0} : milliseconds{1000} * (1U << (ends_ - 1));
    ends_ = std::min(ends_ + 1, 6U);
    return std::min(wait, milliseconds{30'000});
  }

 private:
  unsigned ends_ = 0;
};

}  // namespace egress::dev
