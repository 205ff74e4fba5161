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

// Somebody who changes a child each time we put it right: told with the second repair towards the same state
// within a minute, then every ten minutes as long as it goes on: an object's Events are limited. (What people
// edit in an ExternalService is a repair of its children towards something else.)
class repair_watch {
 public:
  // `wanted`: what each child was to be.
  std::vector<happening> look(const kube::object& external_service, const child_outcomes& outcomes,
                              const std::array<kube::digest, kube::child_count>& wanted, wall_time now);

 private:
  struct repair {
    std::size_t child = 0;  // kube::child_index
    kube::digest towards{};
    std::size_t held = 0;  // ports
    wall_time at{}, told{};
  };
  repair& of(std::size_t child);

  std::vector<repair> last_;  // of the children that ever were repaired: few
};

}  // namespace egress::reconciler
