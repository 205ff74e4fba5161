#pragma once
// The difference between a child as it is rendered and as it is written. Pure.

#include <cstdint>

#include "runtime/kube/json.hpp"
#include "runtime/kube/kind.hpp"

namespace egress::desired {

// `child` with every constant written out that the API server would add (internalTrafficPolicy: Cluster, …),
// so that it can be compared with, and laid over, what the server has. Values that are there stay: applying
// it twice changes nothing more.
json::object with_server_defaults(kube::kind of, json::object child);

// `child` with what only its creation sets: a Deployment's replicas, which are the HPA's from then on.
json::object for_creation(kube::kind of, json::object child, std::int64_t min_replicas);

}  // namespace egress::desired
