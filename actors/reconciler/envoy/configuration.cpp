#include "actors/reconciler/envoy/configuration.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "actors/reconciler/effective.hpp"
#include "actors/reconciler/envoy/compatible.hpp"
#include "actors/reconciler/envoy/hardened.hpp"
#include "actors/reconciler/growing_hash.hpp"
#include "actors/reconciler/yaml_writer.hpp"
#include "runtime/kube/json_arena.hpp"

namespace egress::envoy {
namespace {

std::string in_hex(std::uint32_t hash) {
  return fmt::format("{:x}", hash);
}

}  // namespace

std::string config_hash(std::string_view text) {
  growing_hash hash;
  hash.follow(text);
  return in_hex(hash.value());
}

std::int64_t admin_port(const kube::external_service_spec& spec, bool reloads) {
  if (reloads) return reload_admin_port;
  const auto taken = [&](std::int64_t port) {
    return std::ranges::any_of(
        spec.ports, [&](const kube::service_port& one) { return one.protocol == "TCP" && one.port == port; });
  };
  std::int64_t port = 11000;
  while (taken(port)) ++port;
  return port;
}

namespace {

// A DiscoveryResponse as a file. Its version is what gateways say they have:
// envoy_cluster_manager_cds_version and envoy_listener_manager_lds_version.
std::string discovery_file(json::array resources) {
  json::object root(resources.storage());
  root["resources"] = std::move(resources);
  auto [text, hash] = yaml::to_hashed_text(root);
  yaml::append_document(text, json::object{{"versionInfo", in_hex(hash)}});
  return std::move(text);
}

configuration configure_reload(std::string_view name, const kube::external_service_spec& spec,
                               const surroundings& around) {
  json::arena scratch;
  auto tree = hardened_reload(scratch.storage(), name, spec, around);
  auto [text, hash] = yaml::to_hashed_text(tree.bootstrap);
  configuration made{.text = std::move(text), .hash = in_hex(hash), .admin_port = reload_admin_port};
  made.clusters = discovery_file(std::move(tree.clusters));
  made.listeners = discovery_file(std::move(tree.listeners));
  made.version = config_hash(made.text + made.clusters + made.listeners);
  return made;
}

}  // namespace

std::string cluster_name(std::string_view name, const kube::service_port& port) {
  return fmt::format("{}_{}_{}", name, port.protocol, port.port);
}

configuration configure(std::string_view name, const kube::external_service_spec& spec, surroundings around) {
  if (reconciler::reloads(spec, around.profile)) return configure_reload(name, spec, around);
  json::arena scratch;
  const auto tree = around.profile == gateway_profile::compatible
                        ? compatible_bootstrap(scratch.storage(), name, spec)
                        : hardened_bootstrap(scratch.storage(), name, spec, around);
  auto [text, hash] = yaml::to_hashed_text(tree);
  configuration made{.text = std::move(text), .hash = in_hex(hash), .admin_port = admin_port(spec)};
  made.version = made.hash;
  return made;
}

}  // namespace egress::envoy
