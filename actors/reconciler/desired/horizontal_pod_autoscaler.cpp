#include "actors/reconciler/desired/children.hpp"
#include "actors/reconciler/desired/metadata.hpp"
#include "actors/reconciler/effective.hpp"

namespace egress::desired {

// The autoscaling/v1 shape.
json::object horizontal_pod_autoscaler(const gateway& from) {
  auto made = new_child(kube::kind::horizontal_pod_autoscaler, from);
  const auto bounds = reconciler::replica_bounds(from.spec);
  made["spec"] = json::object(
      {{"minReplicas", bounds.min},
       {"maxReplicas", bounds.max},
       {"targetCPUUtilizationPercentage", reconciler::target_cpu_utilization(from.spec)},
       {"scaleTargetRef", {{"apiVersion", "apps/v1"}, {"kind", "Deployment"}, {"name", from.name}}}},
      from.in);
  return made;
}

}  // namespace egress::desired
