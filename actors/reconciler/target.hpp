#pragma once
// What a live child should become, and the one write that makes it so. (docs/decisions/0002) All functions
// are pure; `live` is what the server sent, `rendered` what desired::render_child gave.

#include <set>
#include <string>
#include <vector>

#include "runtime/kube/json.hpp"
#include "runtime/kube/kind.hpp"

namespace egress::reconciler {

// JSON pointers (RFC 6901).
using pointers = std::set<std::string>;

// `live` with everything that is ours as rendered: spec (a ConfigMap's data) replaced, but for what belongs
// to others there (clusterIP and families, replicas, foreign pod-template annotations); labels, annotations
// and our ownerReference laid over those that are there; the HPA's autoscaling/v2 annotations removed.
json::object target(kube::kind of, const json::object& rendered, const json::object& live);

// The RFC 7386 merge patch from live to target: null for what must go, lists whole, metadata.resourceVersion
// for optimistic concurrency. Empty when nothing differs: then there is nothing to write.
json::object merge_patch(const json::object& live, const json::object& target);

// Where they differ, as deep as both have something; elements of lists of equal length one by one.
pointers differing_paths(const json::object& live, const json::object& target);

}  // namespace egress::reconciler
