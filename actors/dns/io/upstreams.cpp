#include "actors/dns/io/upstreams.hpp"

#include <algorithm>

namespace egress::dns {

std::size_t upstreams::count(loop_state of) const {
  return static_cast<std::size_t>(std::ranges::count(all_, of, &one::loop));
}

bool upstreams::any_healthy() const {
  return std::ranges::any_of(all_, [](const one& each) {
    return each.loop == loop_state::clear && each.failures < failures_allowed;
  });
}

bool upstreams::all_healthy() const {
  return std::ranges::all_of(all_, [](const one& each) { return each.failures < failures_allowed; });
}

// Those from which the policy may choose, in the order given.
std::vector<std::size_t> upstreams::best_class(const std::vector<std::size_t>& tried) const {
  const auto rank = [&](std::size_t at) { return std::pair(std::ranges::count(tried, at), !healthy(at)); };
  std::vector<std::size_t> best;
  for (std::size_t at = 0; at < all_.size(); ++at) {
    if (all_[at].loop != loop_state::clear) continue;
    if (!best.empty() && rank(best[0]) < rank(at)) continue;
    if (!best.empty() && rank(at) < rank(best[0])) best.clear();
    best.push_back(at);
  }
  return best;
}

std::optional<std::size_t> upstreams::choose(const std::vector<std::size_t>& tried, std::uint32_t random) {
  const auto best = best_class(tried);
  if (best.empty()) return std::nullopt;
  std::size_t chosen = best[0];
  switch (policy_) {
    case upstream_policy::sequential:
      break;
    case upstream_policy::random:
      chosen = best[random % best.size()];
      break;
    case upstream_policy::least_outstanding:
      chosen = *std::ranges::min_element(best, {}, [&](std::size_t at) { return all_[at].outstanding; });
      break;
    case upstream_policy::round_robin: {
      const auto next = std::ranges::find_if(best, [&](std::size_t at) { return at >= turn_; });
      chosen = next == best.end() ? best[0] : *next;
      // A second try of one question is not a turn.
      if (tried.empty()) turn_ = chosen + 1;
      break;
    }
  }
  return chosen;
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
