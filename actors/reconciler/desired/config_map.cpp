#include "actors/reconciler/desired/children.hpp"
#include "actors/reconciler/desired/metadata.hpp"

namespace egress::desired {

json::object config_map(const gateway& from) {
  auto made = new_child(kube::kind::config_map, from);
  made["data"] = json::object{{"envoy.yaml", from.config.text}};
  return made;
}

}  // namespace egress::desired
