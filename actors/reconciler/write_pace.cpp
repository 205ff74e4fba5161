#include "actors/reconciler/write_pace.hpp"

#include <algorithm>
#include <cmath>

namespace egress::reconciler {

double write_pace::free_at(const pace& one, steady_time now) {
  const std::chrono::duration<double> since = now - one.at, whole = apart;
  return std::min(burst, one.free + since / whole);
}

milliseconds write_pace::wait(std::size_t child, const kube::digest& wanted, steady_time now) const {
  const auto& one = paces_[child];
  const double free = free_at(one, now);
  if (one.wanted != wanted || free >= 1) return milliseconds{0};
  const std::chrono::duration<double, std::milli> missing = (1 - free) * apart;
  return milliseconds{static_cast<long>(std::ceil(missing.count()))};
}

void write_pace::wrote(std::size_t child, const kube::digest& wanted, steady_time now) {
  auto& one = paces_[child];
  const double free = one.wanted == wanted ? free_at(one, now) : burst;
  one = {wanted, std::max(0.0, free - 1), now};
}

void write_pace::about(const std::string& uid) {
  if (uid == uid_) return;
  uid_ = uid;
  paces_ = {};
}

}  // namespace egress::reconciler
