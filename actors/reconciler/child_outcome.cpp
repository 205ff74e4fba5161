#include "actors/reconciler/child_outcome.hpp"

#include <algorithm>
#include <utility>

namespace egress::reconciler {

child_outcome joined(child_outcome first, child_outcome second) {
  if (second.did == action::nothing) second.did = first.did;
  if (!second.now) second.now = std::move(first.now);
  second.repaired.merge(first.repaired);
  second.ineffective.merge(first.ineffective);
  return second;
}

bool is_a_fault(child_state state) {
  return state == child_state::rejected || state == child_state::forbidden || state == child_state::failed;
}

bool is_ours(child_state state) {
  return state == child_state::in_order || state == child_state::written;
}

std::vector<deed> deeds_of(const child_outcomes& all) {
  std::vector<deed> found;
  for (const auto kind : kube::child_kinds) {
    const auto did = all[kube::child_index(kind)].did;
    if (did == action::nothing) continue;
    auto to = std::ranges::find(found, did, &deed::did);
    if (to == found.end()) to = found.insert(to, deed{did, {}});
    if (!to->kinds.empty()) to->kinds += ", ";
    to->kinds += kube::info(kind).name;
  }
  return found;
}

run_end end_of(const child_outcomes& all) {
  constexpr milliseconds look_again{30'000}, slowly{300'000};
  run_end out;
  const auto within = [&](milliseconds delay) {
    out.requeue_after = std::min(delay, out.requeue_after.value_or(delay));
  };
  for (const auto& one : all) {
    switch (one.state) {
      case child_state::failed:
        out.success = false;
        out.asked_to_wait = std::max(out.asked_to_wait, one.asked_to_wait);
        break;
      case child_state::name_taken:
      case child_state::replacing:
      case child_state::deleting:
      case child_state::held_back:
      case child_state::forbidden:  // nothing tells when somebody mends the rights
        within(look_again);
        break;
      case child_state::rejected:
        within(slowly);
        out.terminal = true;
        break;
      default:
        break;
    }
  }
  return out;
}

}  // namespace egress::reconciler
