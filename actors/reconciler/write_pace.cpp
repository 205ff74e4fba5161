#include "actors/reconciler/write_pace.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>

namespace egress::reconciler {
namespace {

std::uint64_t half_of(const kube::digest& wanted) {
  std::uint64_t half = 0;
  static_assert(sizeof half <= sizeof wanted);
  std::memcpy(&half, wanted.data(), sizeof half);
  return half;
}

std::uint32_t clock_of(steady_time now) {
  return static_cast<std::uint32_t>(std::chrono::duration_cast<milliseconds>(now.time_since_epoch()).count());
}

}  // namespace

// How many writes to this state are free now.
double write_pace::free_for(const pace& one, const kube::digest& wanted, steady_time now) {
  if (one.wanted != half_of(wanted)) return burst;
  const std::uint32_t since = clock_of(now) - one.at;
  return std::min<double>(burst, one.free + since / static_cast<double>(apart.count()));
}

milliseconds write_pace::wait(std::size_t child, const kube::digest& wanted, steady_time now) const {
  const double free = free_for(paces_[child], wanted, now);
  if (free >= 1) return milliseconds{0};
  return milliseconds{static_cast<long>(std::ceil((1 - free) * static_cast<double>(apart.count())))};
}

void write_pace::wrote(std::size_t child, const kube::digest& wanted, steady_time now) {
  auto& one = paces_[child];
  const double free = std::max(0.0, free_for(one, wanted, now) - 1);
  one = {half_of(wanted), static_cast<float>(free), clock_of(now)};
}

void write_pace::about(const kube::object_uid& uid) {
  const auto hash = std::hash<std::string_view>{}(uid.view());
  if (hash == uid_) return;
  uid_ = hash;
  paces_ = {};
}

}  // namespace egress::reconciler
