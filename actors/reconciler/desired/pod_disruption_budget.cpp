#include "actors/reconciler/desired/children.hpp"
#include "actors/reconciler/desired/metadata.hpp"

namespace egress::desired {

json::object pod_disruption_budget(const gateway& from) {
  auto made = new_child(kube::kind::pod_disruption_budget, from);
  json::object by_labels(from.in);
  by_labels["matchLabels"] = labels(from);
  json::object spec({{"maxUnavailable", "25%"}}, from.in);
  spec["selector"] = std::move(by_labels);
  made["spec"] = std::move(spec);
  return made;
}

}  // namespace egress::desired
