#include "actors/reconciler/desired/children.hpp"
#include "actors/reconciler/desired/metadata.hpp"

namespace egress::desired {

json::object pod_disruption_budget(const gateway& from) {
  auto made = new_child(kube::kind::pod_disruption_budget, from);
  made["spec"] =
      json::object({{"maxUnavailable", "25%"}, {"selector", {{"matchLabels", labels(from)}}}}, from.in);
  return made;
}

}  // namespace egress::desired
