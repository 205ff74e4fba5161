#pragma once
// Defaults of a pod template. Pure.

#include "runtime/kube/json.hpp"

namespace egress::dev {

void apply_pod_defaults(json::object& pod_spec);

}  // namespace egress::dev
