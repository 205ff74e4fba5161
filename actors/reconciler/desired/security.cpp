#include "actors/reconciler/desired/security.hpp"

#include <algorithm>

namespace egress::desired {
namespace {

// The user `envoy` of Envoy's images. Any other would do.
constexpr std::int64_t envoy_user = 101;
constexpr std::int64_t first_unprivileged_port = 1024;

}  // namespace

json::object pod_security(const gateway& from) {
  json::object made{{"runAsNonRoot", true}, {"runAsUser", envoy_user}, {"runAsGroup", envoy_user}};
  made["seccompProfile"] = json::object{{"type", "RuntimeDefault"}};
  const bool privileged = std::ranges::any_of(
      from.spec.ports, [](const kube::service_port& port) { return port.port < first_unprivileged_port; });
  // A pod that stays may get such a port later.
  if (privileged || from.reloads()) {
    json::array sysctls;
    sysctls.push_back(json::object{{"name", "net.ipv4.ip_unprivileged_port_start"}, {"value", "0"}});
    made["sysctls"] = std::move(sysctls);
  }
  return made;
}

json::object container_security() {
  json::object made{{"allowPrivilegeEscalation", false}, {"readOnlyRootFilesystem", true}};
  made["capabilities"] = json::object{{"drop", json::array{"ALL"}}};
  return made;
}

}  // namespace egress::desired
