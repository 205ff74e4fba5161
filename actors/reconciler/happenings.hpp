#pragma once
// What a person should be told after a run: what changed in the conditions, and who undoes our repairs. Pure.

#include <array>
#include <vector>

#include "actors/reconciler/child_outcome.hpp"
#include "actors/reconciler/events.hpp"
#include "runtime/kube/object.hpp"

namespace egress::reconciler {

std::vector<happening> happenings_of(const kube::object& external_service,
                                     const kube::external_service_status& before,
                                     const kube::external_service_status& after);

// The definition that is installed has no status subresource.
happening without_status(const kube::object& external_service);

// Somebody who changes a child each time we put it right: told from the second repair within a minute on.
class repair_watch {
 public:
  std::vector<happening> look(const kube::object& external_service, const child_outcomes& outcomes,
                              wall_time now);

 private:
  std::array<wall_time, kube::child_count> last_{};
};

}  // namespace egress::reconciler
