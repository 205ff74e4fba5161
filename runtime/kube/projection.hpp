#pragma once
// What of a child is ours to keep right, as one canonical form: equal projections of the rendered and the
// live object mean there is nothing to write. (objects.md of the design: "What differs"; docs/decisions/.)
//
// A projection holds spec (a ConfigMap's data) with quantities in canonical form and without empty maps,
// nulls and empty strings; our labels, annotations and controller owner; and none of what is copied from live
// (clusterIP, clusterIPs, ipFamilies, replicas, foreign pod-template annotations; ipFamilyPolicy unless
// `hardened` renders it). It depends on the settings only, never on the ExternalService.

#include "runtime/kube/json.hpp"
#include "runtime/kube/object.hpp"

namespace egress::kube {

struct projection_rules {
  bool ip_family_policy = true;  // hardened renders it
  bool topology_mode = false;    // service.kubernetes.io/topology-mode is ours
};

// The tree that counts, for tests and messages; live may be what the server sent or what was rendered.
json::object project(kind of, const json::object& live, const projection_rules& rules,
                     const json::storage_ptr& in = {});
// Its digest, of this process (net::keyed_digest).
digest digest_of(const json::object& projection);
// The digest of project().
digest projected_digest(kind of, const json::object& live, const projection_rules& rules);

}  // namespace egress::kube
