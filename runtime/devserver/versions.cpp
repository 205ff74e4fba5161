#include "runtime/devserver/versions.hpp"

#include "runtime/devserver/tree.hpp"

namespace egress::dev {

stored in_version(const resource& of, const stored& object) {
  if (of.stored_version.empty() || !object) return object;
  auto shown = *object;
  shown["apiVersion"] = of.api_version();
  auto& spec = object_in(shown, "spec");
  if (const auto* const target = spec.if_contains("targetCPUUtilizationPercentage")) {
    json::object utilization{{"type", "Utilization"}, {"averageUtilization", *target}};
    json::object cpu{{"name", "cpu"}, {"target", std::move(utilization)}};
    spec["metrics"] = json::array{json::object{{"type", "Resource"}, {"resource", std::move(cpu)}}};
    remove_member(spec, "targetCPUUtilizationPercentage");
  }
  set_default(object_in(shown, "status"), "currentMetrics", json::value(nullptr));
  return std::make_shared<const json::object>(std::move(shown));
}

}  // namespace egress::dev
