#include "actors/reconciler/envoy/hardened.hpp"

#include <algorithm>
#include <utility>

#include "actors/reconciler/envoy/configuration.hpp"
#include "actors/reconciler/envoy/hardened_parts.hpp"
#include "actors/reconciler/envoy/parts.hpp"

namespace egress::envoy {

bool is_wildcard(const kube::external_service_spec& spec) {
  return spec.dns_name.starts_with("*.");
}

bool override_is_checked(const kube::external_service_spec& spec, const kube::service_port& port) {
  return std::ranges::any_of(
      spec.ports, [&](const kube::service_port& other) { return is_tcp(other) && other.port == port.port; });
}

json::object hardened_bootstrap(std::string_view name, const kube::external_service_spec& spec,
                                const surroundings& around) {
  const gateway_view gateway{name, spec, around.ipv6, around.connects_on_data};
  json::array clusters, listeners;
  for (const auto& port : spec.ports) {
    add_clusters(clusters, gateway, port);
    listeners.push_back(is_tcp(port) ? tcp_listener(gateway, port) : udp_listener(gateway, port));
  }
  clusters.push_back(admin_cluster(gateway));
  listeners.push_back(admin_listener(gateway, admin_port(spec)));
  json::object resources;
  resources["clusters"] = std::move(clusters);
  resources["listeners"] = std::move(listeners);
  json::object made;
  made["admin"] = admin(gateway);
  made["node"] = json::object{{"cluster", name}};
  made["overloadManager"] = overload_manager(spec);
  made["staticResources"] = std::move(resources);
  return made;
}

}  // namespace egress::envoy
