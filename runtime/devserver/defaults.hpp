#pragma once
// What the real server fills in when it stores an object of a built-in kind (pkg/apis/*/v1/defaults.go), and
// the forms it gives to values: nulls dropped, quantities canonical. Pure.

#include "runtime/devserver/resource.hpp"
#include "runtime/kube/json.hpp"

namespace egress::dev {

// Custom resources stay as they are: our definition has no defaults.
void apply_defaults(const resource& of, json::object& object);

}  // namespace egress::dev
