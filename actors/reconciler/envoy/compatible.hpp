#pragma once
// The `compatible` profile: the bootstrap that the program we replace renders, down to the byte once it is
// written as YAML, so that an existing cluster is taken over without one gateway restarting. Known faults
// included; `hardened` is without them. Pure.

#include <string_view>

#include "runtime/kube/external_service.hpp"
#include "runtime/kube/json.hpp"

namespace egress::envoy {

json::object compatible_bootstrap(const json::storage_ptr& in, std::string_view name,
                                  const kube::external_service_spec& spec);

}  // namespace egress::envoy
