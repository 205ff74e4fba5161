#include "runtime/actor/restart_policy.hpp"

#include <algorithm>

namespace egress {

restart_policy::decision restart_policy::on_death(steady_time now) {
  recent_.push_back(now);
  while (recent_.front() + limits_.window < now) recent_.pop_front();
  // Beyond the limit the exact count no longer matters; the deque stays bounded.
  if (recent_.size() > limits_.deaths + 1) recent_.pop_front();
  if (recent_.size() > limits_.deaths && limits_.past_limit_ends_process) return {.end_process = true};
  if (recent_.size() == 1) return {};
  const auto doublings = std::min<std::size_t>(recent_.size() - 2, 20);
  const auto delay = limits_.first_delay * (std::int64_t{1} << doublings);
  return {.delay = std::min<milliseconds>(delay, limits_.longest_delay)};
}

}  // namespace egress
