#pragma once
// `kubectl apply` from inside: what `dev -f` and tests put into the cluster. Pure.

#include "runtime/devserver/cluster.hpp"

namespace egress::dev {

// The merge patch from what was last applied to what is wanted now: members that are wanted no more are
// removed.
json::object apply_patch(const json::object& last_applied, const json::object& wanted);

// Creates the object, or changes what the manifest says of it, and notes the manifest in kubectl's
// annotation, so that kubectl can go on from there. An object of a namespaced kind without a namespace is one
// of "default".
outcome<stored> apply(cluster& on, json::object manifest, wall_time now);

}  // namespace egress::dev
