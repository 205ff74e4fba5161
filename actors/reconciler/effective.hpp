#pragma once
// What a spec means once the defaults are in: the values that children are rendered from. Pure.

#include <cstdint>
#include <string_view>

#include "runtime/base/settings.hpp"
#include "runtime/kube/external_service.hpp"

namespace egress::reconciler {

struct bounds {
  std::int64_t min = 3, max = 12;
};

// minReplicas and maxReplicas; a default gives way to the one that is set (minReplicas 20 alone makes
// maxReplicas 20).
bounds replica_bounds(const kube::external_service_spec& spec);

std::int64_t target_cpu_utilization(const kube::external_service_spec& spec);

// spec.resources, or the profile's default. Quantities as written.
kube::resource_requirements resources(const kube::external_service_spec& spec, gateway_profile profile);

// A change of ports, names and addresses reaches running gateways without new pods (spec.configDelivery).
bool reloads(const kube::external_service_spec& spec, gateway_profile profile);

// Envoy knows the level; any other takes no effect.
bool known_log_level(std::string_view level);

}  // namespace egress::reconciler
