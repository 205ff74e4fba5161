#include "actors/dns/io/upstreams.hpp"

#include <algorithm>
#include <tuple>

namespace egress::dns {

upstreams::upstreams(std::vector<upstream_address> addresses, forwarder_limits limits) : limits_(limits) {
  for (auto& address : addresses) all_.push_back({.address = std::move(address)});
}

std::optional<std::size_t> upstreams::choose(const std::vector<std::size_t>& tried) const {
  const auto times = [&](std::size_t at) { return std::ranges::count(tried, at); };
  const auto rank = [&](std::size_t at) {
    return std::tuple(times(at), !healthy(at), all_[at].outstanding, at);
  };
  std::optional<std::size_t> best;
  for (std::size_t at = 0; at < all_.size(); ++at)
    if (!best || rank(at) < rank(*best)) best = at;
  return best;
}

std::chrono::milliseconds upstreams::patience(std::size_t at) const {
  const auto wanted = std::chrono::duration_cast<std::chrono::milliseconds>(3 * all_[at].smoothed);
  return std::clamp(wanted, limits_.least, limits_.most);
}

void upstreams::replied(std::size_t at, std::chrono::nanoseconds took) {
  all_[at].failures = 0;
  all_[at].smoothed = (7 * all_[at].smoothed + took) / 8;
}

void upstreams::failed(std::size_t at) {
  if (all_[at].failures < failures_allowed) ++all_[at].failures;
}

}  // namespace egress::dns
