#include "actors/reconciler/validate.hpp"

#include <fmt/format.h>

#include <array>
#include <cstdint>
#include <set>
#include <utility>

#include "actors/reconciler/address.hpp"
#include "actors/reconciler/dns_name.hpp"
#include "actors/reconciler/effective.hpp"
#include "actors/reconciler/envoy/configuration.hpp"
#include "actors/reconciler/shortened.hpp"
#include "actors/reconciler/validate_resources.hpp"

namespace egress::reconciler {
namespace {

using kube::external_service_spec;
using outcome = std::optional<refusal>;

template <class... Args>
outcome refuse(std::string_view reason, fmt::format_string<Args...> format, Args&&... args) {
  return refusal{std::string(reason), fmt::format(format, std::forward<Args>(args)...)};
}

outcome check_name(const std::string& name, const external_service_spec& spec) {
  if (!is_rfc1035_label(name))
    return refuse(
        "InvalidName",
        "metadata.name {} cannot name a Service: use lower-case letters, digits and inner hyphens, a "
        "letter first, 63 characters at most",
        shown(name));
  constexpr std::size_t longest = 63;
  if (const auto label = "allowed-" + name; label.size() > longest)
    return refuse("NameTooLong",
                  "the label egress.monzo.com/{} has {} characters behind the slash, {} are allowed: "
                  "shorten metadata.name",
                  label, label.size(), longest);
  for (const auto& port : spec.ports)
    if (const auto made = fmt::format("{}-{}-{}", name, port.protocol == "UDP" ? "udp" : "tcp", port.port);
        made.size() > longest)
      return refuse("NameTooLong",
                    "the Service's port name {} has {} characters, {} are allowed: shorten "
                    "metadata.name",
                    made, made.size(), longest);
  return std::nullopt;
}

outcome check_dns_name(const external_service_spec& spec) {
  const auto& name = spec.dns_name;
  if (name.empty())
    return refuse("InvalidDNSName", "spec.dnsName is missing: name the external host, like api.example.com");
  const bool wildcard = name.starts_with("*.");
  const auto host = std::string_view(name).substr(wildcard ? 2 : 0);
  if (!is_host_name(host) || name.size() > (name.ends_with('.') ? 254 : 253))
    return refuse(
        "InvalidDNSName",
        "spec.dnsName {} is no host name: use labels of letters, digits and inner hyphens between dots, 253 "
        "characters at most; *. may stand before it",
        shown(name));
  return std::nullopt;
}

// Whoever may write ExternalServices would else lead the cluster's own names, for all pods, wherever he
// likes.
outcome check_outside(const external_service_spec& spec, std::string_view cluster_domain) {
  const auto host = std::string_view(spec.dns_name).substr(spec.dns_name.starts_with("*.") ? 2 : 0);
  if (!spec.hijack_dns || !is_at_or_below(host, cluster_domain)) return std::nullopt;
  return refuse("ClusterName",
                "spec.dnsName {} is a name of the cluster's own domain {} (--cluster-domain), which is not "
                "hijacked: name an external host, or set spec.hijackDns to false",
                shown(spec.dns_name), cluster_domain);
}

outcome check_wildcard(const external_service_spec& spec, gateway_profile profile) {
  if (!spec.dns_name.starts_with("*.")) return std::nullopt;
  if (profile == gateway_profile::compatible)
    return refuse("WildcardUnsupported",
                  "spec.dnsName {} is a wildcard, which gateways of the compatible profile cannot serve: use "
                  "--gateway-profile=hardened, or name one host",
                  shown(spec.dns_name));
  for (const auto& port : spec.ports)
    if (port.protocol == "UDP")
      return refuse("WildcardUnsupported",
                    "spec.dnsName {} is a wildcard, which needs TLS over TCP: remove UDP port "
                    "{}",
                    shown(spec.dns_name), port.port);
  if (!spec.ip_override.empty())
    return refuse("WildcardUnsupported",
                  "spec.dnsName {} is a wildcard, for which spec.ipOverride cannot stand: "
                  "remove one of them",
                  shown(spec.dns_name));
  return std::nullopt;
}

// More than the definition allows, as what was stored before it had bounds goes on; that of Kubernetes 1.29
// has none. Rendering takes some kilobytes for each.
constexpr std::size_t most_entries = 1024;
// Envoy's configuration has each address for each port.
constexpr std::size_t most_endpoints = 4096;

outcome check_sizes(const external_service_spec& spec) {
  const std::size_t ports = spec.ports.size(), addresses = spec.ip_override.size();
  const std::size_t clients = spec.dns_clients.size();
  if (ports > most_entries)
    return refuse("InvalidPort", "spec.ports has {} entries: {} at most", ports, most_entries);
  if (addresses > most_entries)
    return refuse("InvalidIPOverride", "spec.ipOverride has {} entries: {} at most", addresses, most_entries);
  if (clients > most_entries)
    return refuse("InvalidDNSClients", "spec.dnsClients has {} entries: {} at most", clients, most_entries);
  if (ports * addresses > most_endpoints)
    return refuse(
        "InvalidIPOverride",
        "spec.ipOverride has {} addresses for {} ports, which is more than {} endpoints: list fewer, or "
        "divide the ports among ExternalServices",
        addresses, ports, most_endpoints);
  return std::nullopt;
}

outcome check_ports(const external_service_spec& spec) {
  if (spec.ports.empty()) return refuse("NoPorts", "spec.ports is empty: list what the gateway listens on");
  std::set<std::pair<std::string, std::int64_t>> seen;
  for (std::size_t i = 0; i < spec.ports.size(); ++i) {
    const auto& [port, protocol] = spec.ports[i];
    if (port < 1 || port > 65535)
      return refuse("InvalidPort", "spec.ports[{}].port is {}: must be from 1 to 65535", i, port);
    if (protocol != "TCP" && protocol != "UDP")
      return refuse("InvalidProtocol", "spec.ports[{}].protocol is {}: must be TCP or UDP", i,
                    shown(protocol));
    if (!seen.emplace(protocol, port).second)
      return refuse("DuplicatePort", "spec.ports[{}] repeats {}/{}: remove one of them", i, port, protocol);
  }
  return std::nullopt;
}

outcome check_admin_port(const external_service_spec& spec, gateway_profile profile) {
  if (!reloads(spec, profile)) return std::nullopt;
  for (std::size_t i = 0; i < spec.ports.size(); ++i)
    if (spec.ports[i].protocol == "TCP" && spec.ports[i].port == envoy::reload_admin_port)
      return refuse("InvalidPort",
                    "spec.ports[{}] is {}/TCP, which gateways with spec.configDelivery Reload keep for "
                    "readiness and metrics: use another port, or Restart",
                    i, envoy::reload_admin_port);
  return std::nullopt;
}

outcome check_replicas(const external_service_spec& spec) {
  constexpr std::int64_t most = INT32_MAX;
  const std::array<std::pair<std::string_view, std::optional<std::int64_t>>, 3> counts{
      {{"minReplicas", spec.min_replicas},
       {"maxReplicas", spec.max_replicas},
       {"targetCPUUtilizationPercentage", spec.target_cpu_utilization_percentage}}};
  for (const auto& [field, value] : counts)
    if (value && (*value < 1 || *value > most))
      return refuse("InvalidReplicas", "spec.{} is {}: must be from 1 to {}", field, *value, most);
  const auto bounds = replica_bounds(spec);
  if (bounds.min > bounds.max)
    return refuse("InvalidReplicas",
                  "spec.minReplicas {} is more than spec.maxReplicas {}: lower one or raise the "
                  "other",
                  bounds.min, bounds.max);
  return std::nullopt;
}

outcome check_addresses(const external_service_spec& spec) {
  for (std::size_t i = 0; i < spec.ip_override.size(); ++i)
    if (!is_ip_address(spec.ip_override[i]))
      return refuse("InvalidIPOverride", "spec.ipOverride[{}] is {}: must be an IPv4 or IPv6 address", i,
                    shown(spec.ip_override[i]));
  for (std::size_t i = 0; i < spec.dns_clients.size(); ++i)
    if (!is_cidr(spec.dns_clients[i]))
      return refuse("InvalidDNSClients",
                    "spec.dnsClients[{}] is {}: must be a range of addresses like 10.0.0.0/8 or "
                    "fd00::/8",
                    i, shown(spec.dns_clients[i]));
  return std::nullopt;
}

outcome check_envoy(const external_service_spec& spec) {
  constexpr std::int64_t longest_seconds = 9'223'372'035;  // what Envoy holds in nanoseconds
  const auto& connections = spec.envoy_cluster_max_connections;
  if (connections && (*connections < 1 || *connections > UINT32_MAX))
    return refuse("InvalidMaxConnections", "spec.envoyClusterMaxConnections is {}: must be from 1 to {}",
                  *connections, UINT32_MAX);
  const auto& refresh = spec.envoy_dns_refresh_rate_s;
  if (refresh && (*refresh < 1 || *refresh > longest_seconds))
    return refuse("InvalidRefreshRate", "spec.envoyDnsRefreshRateS is {}: must be from 1 to {}", *refresh,
                  longest_seconds);
  return std::nullopt;
}

outcome check_choices(const external_service_spec& spec) {
  if (!spec.tls_sni.empty() && spec.tls_sni != "Off" && spec.tls_sni != "Enforce")
    return refuse("InvalidTLS", "spec.tls.sni is {}: must be Off or Enforce", shown(spec.tls_sni));
  const auto& delivery = spec.config_delivery;
  if (!delivery.empty() && delivery != "Restart" && delivery != "Reload")
    return refuse("InvalidConfigDelivery", "spec.configDelivery is {}: must be Restart or Reload",
                  shown(delivery));
  return std::nullopt;
}

outcome check_resources(const external_service_spec& spec) {
  if (auto problem = resources_problem(spec.resources))
    return refusal{"InvalidResources", std::move(*problem)};
  return std::nullopt;
}

}  // namespace

std::optional<refusal> validate(const kube::object& external_service, gateway_profile profile,
                                std::string_view cluster_domain) {
  const auto& [spec, status, undecodable] = external_service.as_external_service();
  if (!undecodable.empty()) return refuse("Undecodable", "{}", undecodable);
  if (auto no = check_sizes(spec)) return no;
  if (auto no = check_dns_name(spec)) return no;
  if (auto no = check_outside(spec, cluster_domain)) return no;
  if (auto no = check_ports(spec)) return no;
  if (auto no = check_name(external_service.meta.name, spec)) return no;
  if (auto no = check_wildcard(spec, profile)) return no;
  if (auto no = check_admin_port(spec, profile)) return no;
  if (auto no = check_replicas(spec)) return no;
  if (auto no = check_resources(spec)) return no;
  if (auto no = check_addresses(spec)) return no;
  if (auto no = check_envoy(spec)) return no;
  return check_choices(spec);
}

std::optional<refusal> too_large(std::size_t configuration) {
  constexpr std::size_t most = 1'048'576;  // of a ConfigMap's values together
  if (configuration <= most) return std::nullopt;
  return refusal{"ConfigurationTooLarge",
                 fmt::format("Envoy's configuration has {} bytes, and a ConfigMap holds {}: list fewer ports "
                             "or addresses, or divide them among ExternalServices",
                             configuration, most)};
}

refusal name_taken(const kube::object& loser, std::string_view winner) {
  return {"DNSNameTaken",
          fmt::format(
              "spec.dnsName {} belongs to ExternalService {}, which is older: delete one of them, or choose "
              "another name",
              shown(loser.as_external_service().spec.dns_name), winner)};
}

}  // namespace egress::reconciler
