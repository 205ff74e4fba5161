#include "actors/reconciler/envoy/configuration.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "actors/reconciler/envoy/compatible.hpp"
#include "actors/reconciler/envoy/hardened.hpp"
#include "actors/reconciler/yaml_writer.hpp"

namespace egress::envoy {

std::string config_hash(std::string_view text) {
  std::uint32_t hash = 2166136261U;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619U;
  return fmt::format("{:x}", hash);
}

std::int64_t admin_port(const kube::external_service_spec& spec) {
  const auto taken = [&](std::int64_t port) {
    return std::ranges::any_of(
        spec.ports, [&](const kube::service_port& one) { return one.protocol == "TCP" && one.port == port; });
  };
  std::int64_t port = 11000;
  while (taken(port)) ++port;
  return port;
}

std::string cluster_name(std::string_view name, const kube::service_port& port) {
  return fmt::format("{}_{}_{}", name, port.protocol, port.port);
}

configuration configure(std::string_view name, const kube::external_service_spec& spec, surroundings around) {
  const auto tree = around.profile == gateway_profile::compatible ? compatible_bootstrap(name, spec)
                                                                  : hardened_bootstrap(name, spec, around);
  configuration made{.text = {}, .hash = {}, .admin_port = admin_port(spec)};
  made.text.reserve(8192);
  yaml::append_document(made.text, tree);
  made.hash = config_hash(made.text);
  return made;
}

}  // namespace egress::envoy
