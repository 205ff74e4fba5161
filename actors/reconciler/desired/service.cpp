#include <fmt/format.h>

#include "actors/reconciler/desired/children.hpp"
#include "actors/reconciler/desired/metadata.hpp"
#include "runtime/kube/keys.hpp"

namespace egress::desired {
namespace {

json::object service_port(const gateway& from, const kube::service_port& port) {
  const std::string_view protocol = port.protocol == "UDP" ? "udp" : "tcp";
  return json::object({{"name", fmt::format("{}-{}-{}", from.name, protocol, port.port)},
                       {"protocol", port.protocol},
                       {"port", port.port},
                       {"targetPort", port.port}},
                      from.in);
}

}  // namespace

json::object service(const gateway& from, std::string_view hijack) {
  auto made = new_child(kube::kind::service, from);
  made["metadata"].as_object()["labels"].as_object()[kube::keys::hijack_dns] = hijack;
  json::array ports(from.in);
  for (const auto& port : from.spec.ports) ports.push_back(service_port(from, port));
  constexpr std::size_t most_members = 6;  // with internalTrafficPolicy
  json::object spec({{"type", "ClusterIP"}, {"sessionAffinity", "None"}}, most_members, from.in);
  if (from.hardened()) spec["ipFamilyPolicy"] = "PreferDualStack";
  spec["ports"] = std::move(ports);
  spec["selector"] = json::object({{kube::keys::gateway, from.name}}, from.in);
  made["spec"] = std::move(spec);
  return made;
}

}  // namespace egress::desired
