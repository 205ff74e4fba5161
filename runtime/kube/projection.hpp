#pragma once
// What of a child is ours to keep right, as one canonical form: equal projections of the rendered and the
// live object mean there is nothing to write. (docs/decisions/0002)
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

// The digest of a child's projection (net::keyed_digest: of this process), be it what the server sent or what
// was rendered. Decoding has the same for what it reads.
digest projected_digest(kind of, const json::object& child, const projection_rules& rules);

}  // namespace egress::kube
