#include "actors/informer/backoff.hpp"

#include <algorithm>

namespace egress::informer {

milliseconds backoff::next(moment at) {
  if (quiet(at.now)) {
    delay_ = policy_.first;
  } else {
    const auto grown = static_cast<double>(delay_.count()) * policy_.factor;
    delay_ = grown < static_cast<double>(policy_.cap.count()) ? milliseconds(static_cast<long>(grown))
                                                              : policy_.cap;
  }
  const auto base = static_cast<double>(delay_.count());
  const auto wait =
      milliseconds(static_cast<long>(base + base * policy_.jitter * std::clamp(at.random, 0.0, 1.0)));
  // Quiet is counted from the end of the wait: waiting is not success.
  last_ = at.now + wait;
  return wait;
}

}  // namespace egress::informer
