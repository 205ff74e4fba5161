#pragma once
// spec.resources, judged. Pure.

#include <optional>
#include <string>

#include "runtime/kube/external_service.hpp"

namespace egress::reconciler {

// What the API server would refuse in the gateway container's resources, as one line; nothing when all is
// well.
std::optional<std::string> resources_problem(const std::optional<kube::resource_requirements>& resources);

}  // namespace egress::reconciler
