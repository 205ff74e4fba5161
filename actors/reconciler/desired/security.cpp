#include "actors/reconciler/desired/security.hpp"

#include <algorithm>

namespace egress::desired {
namespace {

// The user `envoy` of Envoy's images. Any other would do.
constexpr std::int64_t envoy_user = 101;
constexpr std::int64_t first_unprivileged_port = 1024;

}  // namespace

json::object pod_security(const gateway& from) {
  json::object made({{"runAsNonRoot", true},
                     {"runAsUser", envoy_user},
                     {"runAsGroup", envoy_user},
                     {"seccompProfile", {{"type", "RuntimeDefault"}}}},
                    from.in);
  const bool privileged = std::ranges::any_of(
      from.spec.ports, [](const kube::service_port& port) { return port.port < first_unprivileged_port; });
  // A pod that stays may get such a port later.
  if (privileged || from.reloads()) {
    json::object low_ports({{"name", "net.ipv4.ip_unprivileged_port_start"}, {"value", "0"}}, from.in);
    made["sysctls"] = json::array({std::move(low_ports)}, from.in);
  }
  return made;
}

json::object container_security(const gateway& from) {
  return json::object({{"allowPrivilegeEscalation", false},
                       {"readOnlyRootFilesystem", true},
                       {"capabilities", {{"drop", {"ALL"}}}}},
                      from.in);
}

}  // namespace egress::desired
