#pragma once
// What a hardened gateway's pod may do: as little as the restricted Pod Security Standard asks, and less.
// Pure.

#include "actors/reconciler/desired/gateway.hpp"

namespace egress::desired {

// No root, no system calls out of the ordinary; ports below 1024 without a capability, where the
// specification has one.
json::object pod_security(const gateway& from);

// Nothing to write to, nothing to become.
json::object container_security(const gateway& from);

}  // namespace egress::desired
