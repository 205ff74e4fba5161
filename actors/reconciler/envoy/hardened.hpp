#pragma once
// The `hardened` profile: the same listeners and clusters by name and port, made to work and to be safe on
// current Envoy (1.36 and later; docs/gateways.md says what was wrong with the other). Pure.

#include <string_view>

#include "actors/reconciler/envoy/configuration.hpp"
#include "runtime/kube/external_service.hpp"
#include "runtime/kube/json.hpp"

namespace egress::envoy {

// In `in`. around.ipv6: listen on :: and on IPv4 through it; otherwise on IPv4 only.
json::object hardened_bootstrap(const json::storage_ptr& in, std::string_view name,
                                const kube::external_service_spec& spec, const surroundings& around);

// The same with configDelivery Reload: clusters and listeners apart, each an Any, in files that running
// gateways follow. Nothing in the bootstrap depends on ports, names or addresses of the spec.
struct reloading {
  json::object bootstrap;
  json::array clusters, listeners;
};
reloading hardened_reload(const json::storage_ptr& in, std::string_view name,
                          const kube::external_service_spec& spec, const surroundings& around);

// With ipOverride: is the port's override cluster health-checked, and so able to fall back to DNS? TCP
// always, UDP when the spec has the TCP port of that number.
bool override_is_checked(const kube::external_service_spec& spec, const kube::service_port& port);

// dnsName stands for every name below a suffix.
bool is_wildcard(const kube::external_service_spec& spec);

}  // namespace egress::envoy
