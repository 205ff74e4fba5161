#include "actors/reconciler/effective.hpp"

#include <algorithm>
#include <array>

namespace egress::reconciler {

bounds replica_bounds(const kube::external_service_spec& spec) {
  constexpr bounds fallback;
  if (spec.min_replicas && spec.max_replicas) return {*spec.min_replicas, *spec.max_replicas};
  if (spec.min_replicas) return {*spec.min_replicas, std::max(fallback.max, *spec.min_replicas)};
  if (spec.max_replicas) return {std::min(fallback.min, *spec.max_replicas), *spec.max_replicas};
  return fallback;
}

std::int64_t target_cpu_utilization(const kube::external_service_spec& spec) {
  return spec.target_cpu_utilization_percentage.value_or(50);
}

kube::resource_requirements resources(const kube::external_service_spec& spec, gateway_profile profile) {
  if (spec.resources) return *spec.resources;
  // An idle Envoy holds 57 to 64 MB.
  const auto* memory = profile == gateway_profile::compatible ? "50Mi" : "96Mi";
  return {.requests = {{"cpu", "100m"}, {"memory", memory}}, .limits = {{"cpu", "2"}, {"memory", "1Gi"}}};
}

bool reloads(const kube::external_service_spec& spec, gateway_profile profile) {
  return profile == gateway_profile::hardened && spec.config_delivery == "Reload";
}

bool known_log_level(std::string_view level) {
  static constexpr std::array<std::string_view, 8> known{"trace", "debug", "info",     "warning",
                                                         "warn",  "error", "critical", "off"};
  return std::ranges::find(known, level) != known.end();
}

}  // namespace egress::reconciler
