#include "actors/reconciler/envoy/hardened.hpp"

#include <fmt/format.h>

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

namespace {

struct resources {
  json::array clusters, listeners;
};

gateway_view view_of(const json::storage_ptr& in, std::string_view name,
                     const kube::external_service_spec& spec, const surroundings& around, bool reloads) {
  return {name, spec, around.ipv6, around.connects_on_data, around.private_ranges, reloads, in};
}

// Of the ports, and of what serves the admin port.
resources resources_of(const gateway_view& gateway) {
  resources made{json::array(gateway.in), json::array(gateway.in)};
  for (const auto& port : gateway.spec.ports) {
    add_clusters(made.clusters, gateway, port);
    made.listeners.push_back(is_tcp(port) ? tcp_listener(gateway, port) : udp_listener(gateway, port));
  }
  made.clusters.push_back(admin_cluster(gateway));
  made.listeners.push_back(admin_listener(gateway, admin_port(gateway.spec, gateway.reloads)));
  return made;
}

json::object base_of(const gateway_view& gateway) {
  return json::object({{"admin", admin(gateway)},
                       {"node", {{"cluster", gateway.name}}},
                       {"overloadManager", overload_manager(gateway.in, gateway.spec)}},
                      gateway.in);
}

// The folder is watched, not the file: a kubelet swaps the link ..data in it, and with that all files at
// once.
json::object followed(const json::storage_ptr& in, std::string_view file) {
  return json::object({{"pathConfigSource",
                        {{"path", fmt::format("{}/{}", config_folder, file)},
                         {"watchedDirectory", {{"path", config_folder}}}}},
                       {"resourceApiVersion", "V3"}},
                      in);
}

json::array packed(std::string_view type, json::array items) {
  json::array made(items.storage());
  made.reserve(items.size());
  for (auto& item : items) made.push_back(typed(type, std::move(item.as_object())));
  return made;
}

}  // namespace

json::object hardened_bootstrap(const json::storage_ptr& in, std::string_view name,
                                const kube::external_service_spec& spec, const surroundings& around) {
  const auto gateway = view_of(in, name, spec, around, false);
  auto all = resources_of(gateway);
  auto made = base_of(gateway);
  made["staticResources"] =
      json::object({{"clusters", std::move(all.clusters)}, {"listeners", std::move(all.listeners)}}, in);
  return made;
}

// What serves the admin port comes by the files, too: a new pod that cannot read them does not become ready.
reloading hardened_reload(const json::storage_ptr& in, std::string_view name,
                          const kube::external_service_spec& spec, const surroundings& around) {
  const auto gateway = view_of(in, name, spec, around, true);
  auto all = resources_of(gateway);
  reloading made{base_of(gateway), packed("envoy.config.cluster.v3.Cluster", std::move(all.clusters)),
                 packed("envoy.config.listener.v3.Listener", std::move(all.listeners))};
  // Without an id Envoy takes no configuration that changes.
  made.bootstrap["node"].as_object()["id"] = name;
  made.bootstrap["dynamicResources"] =
      json::object({{"cdsConfig", followed(in, "cds.yaml")}, {"ldsConfig", followed(in, "lds.yaml")}}, in);
  return made;
}

}  // namespace egress::envoy
