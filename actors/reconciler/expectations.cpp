#include "actors/reconciler/expectations.hpp"

#include <utility>

#include "runtime/kube/resource_version.hpp"

namespace egress::reconciler {

expectations::basis expectations::basis_of(const kube::object* seen, std::uint64_t epoch) {
  return {seen ? seen->meta.resource_version : "", epoch};
}

// A watch shows our writes one after the other: a snapshot may be behind the last one, and still have moved
// on from what that was based on.
bool expectations::holds(const expected_child& expected, const kube::object* seen, std::uint64_t epoch,
                         bool touched) {
  const auto now = basis_of(seen, epoch);
  if (!touched && expected.on == now) return true;
  return seen && expected.now && expected.on.epoch == epoch &&
         kube::older(seen->meta.resource_version, expected.now->meta.resource_version);
}

// What is in our way may be outside the informers' selector: no event would ever tell that it went. The next
// run asks for it anew, also where we made it ourselves (for a predecessor).
bool expectations::in_the_way(child_state state) {
  return state == child_state::name_taken || state == child_state::replacing ||
         state == child_state::deleting;
}

live_children expectations::effective(const seen_children& seen, kind_mask changed) {
  live_children out = seen.objects;
  for (std::size_t i = 0; i < out.size(); ++i) {
    auto& expected = children_[i];
    const bool touched = (changed >> i & 1) != 0;
    if (expected && holds(*expected, out[i].get(), seen.epochs[i], touched))
      out[i] = expected->now;
    else
      expected.reset();
  }
  look_at_address(out[kube::child_index(kube::kind::service)].get());
  return out;
}

void expectations::look_at_address(const kube::object* service) {
  if (service && !service->as_child().cluster_ips.empty())
    last_cluster_ip_ = service->as_child().cluster_ips.front();
}

void expectations::learn(const seen_children& seen, const child_outcomes& outcomes) {
  const auto& service = outcomes[kube::child_index(kube::kind::service)];
  if (service.state != child_state::name_taken) look_at_address(service.now.get());
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    const auto& outcome = outcomes[i];
    if (outcome.compared && !settled_) settled_ = std::make_unique<settled_children>();
    if (outcome.compared) (*settled_)[i] = outcome.compared;
    if (in_the_way(outcome.state))
      children_[i].reset();
    else if (outcome.now || outcome.state == child_state::removed)
      children_[i] = std::make_unique<const expected_child>(basis_of(seen.objects[i].get(), seen.epochs[i]),
                                                            outcome.now);
  }
}

bool expectations::has_come(std::size_t child, const kube::object& seen, std::uint64_t epoch) {
  auto& expected = children_[child];
  if (!expected || !expected->now || expected->on.epoch != epoch ||
      expected->now->meta.resource_version != seen.meta.resource_version)
    return false;
  expected.reset();
  return true;
}

const settled_children& expectations::known() const {
  static const settled_children none;
  return settled_ ? *settled_ : none;
}

expectations::known_status expectations::effective_status(const kube::object& seen, std::uint64_t epoch) {
  const bool behind = status_ && status_->on.epoch == epoch &&
                      kube::older(seen.meta.resource_version, status_->now.resource_version);
  if (status_ && (behind || status_->on == basis_of(&seen, epoch))) return status_->now;
  status_.reset();
  return {seen.as_external_service().status, seen.meta.resource_version};
}

void expectations::wrote_status(const kube::object& seen, std::uint64_t epoch,
                                kube::external_service_status status, std::string new_resource_version) {
  status_ = std::make_unique<const expected_status>(
      basis_of(&seen, epoch), known_status{std::move(status), std::move(new_resource_version)});
}

}  // namespace egress::reconciler
