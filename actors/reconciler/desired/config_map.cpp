#include <utility>

#include "actors/reconciler/desired/children.hpp"
#include "actors/reconciler/desired/metadata.hpp"

namespace egress::desired {

json::object config_map(const gateway& from) {
  auto made = new_child(kube::kind::config_map, from);
  json::object data({{"envoy.yaml", from.config.text}}, from.in);
  if (from.reloads()) {
    data["cds.yaml"] = from.config.clusters;
    data["lds.yaml"] = from.config.listeners;
  }
  made["data"] = std::move(data);
  return made;
}

}  // namespace egress::desired
