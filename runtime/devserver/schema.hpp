#pragma once
// Structural schemas (apiextensions.k8s.io/v1) applied to objects: types, values, unknown fields. Pure.
// Rules in CEL (x-kubernetes-validations) are not evaluated: what they refuse, the operator refuses by a
// condition.

#include <string>
#include <vector>

#include "runtime/devserver/refusal.hpp"

namespace egress::dev {

struct schema_findings {
  std::vector<cause> wrong;
  std::vector<std::string> unknown;  // paths of fields that were pruned: "spec.ports[0].prot"
};

// Prunes unknown fields from the object and checks the rest. Values that `old` (may be null) has in the same
// place are not judged again, as servers since 1.30 do, so that what an older definition stored stays
// writable.
schema_findings apply_schema(const json::object& schema, json::object& object, const json::object* old);

}  // namespace egress::dev
