#pragma once
// A token bucket for --kube-api-qps. Pure.

#include <algorithm>

#include "runtime/base/time.hpp"

namespace egress::kube {

class rate_limit {
 public:
  // per_second 0: no limit. The bucket holds two seconds' worth, as client-go's burst does.
  explicit rate_limit(double per_second) : per_second_(per_second), tokens_(std::max(1.0, 2 * per_second)) {}

  // How long the caller has to wait before it may send; its turn is taken with the call.
  milliseconds take(steady_time now) {
    if (per_second_ <= 0) return milliseconds{0};
    const std::chrono::duration<double> passed =
        last_ == steady_time{} ? std::chrono::duration<double>{0} : now - last_;
    last_ = now;
    tokens_ = std::min(std::max(1.0, 2 * per_second_), tokens_ + passed.count() * per_second_) - 1;
    if (tokens_ >= 0) return milliseconds{0};
    // A limit of next to nothing is for ever: a caller gives up before an hour is over.
    constexpr std::chrono::duration<double> longest{3600};
    return std::chrono::ceil<milliseconds>(
        std::min(longest, std::chrono::duration<double>(-tokens_ / per_second_)));
  }

  // The turn that take() gave is not used.
  void give_back() {
    if (per_second_ > 0) tokens_ += 1;
  }

 private:
  double per_second_;
  double tokens_;
  steady_time last_{};
};

}  // namespace egress::kube
