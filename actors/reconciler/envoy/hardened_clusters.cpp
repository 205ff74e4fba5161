#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>

#include "actors/reconciler/envoy/configuration.hpp"
#include "actors/reconciler/envoy/hardened.hpp"
#include "actors/reconciler/envoy/hardened_parts.hpp"
#include "actors/reconciler/envoy/parts.hpp"
#include "actors/reconciler/gateway_limits.hpp"

namespace egress::envoy {
namespace {

using kube::service_port;

json::object endpoint(const gateway_view& gateway, std::string_view address, const service_port& port) {
  return json::object({{"address", socket_address(gateway.in, address, port.port, port.protocol)}},
                      gateway.in);
}

json::object base_cluster(const gateway_view& gateway, std::string_view name) {
  constexpr std::size_t with_what_callers_add = 9;
  return json::object(
      {{"name", name}, {"connectTimeout", "5s"}, {"perConnectionBufferLimitBytes", buffer_bytes}},
      with_what_callers_add, gateway.in);
}

// IPv6 is tried beside IPv4 (RFC 8305) where the gateway has it; a UDP session has no second try.
std::string_view lookup_family(const gateway_view& gateway, const service_port& port) {
  return gateway.ipv6 && is_tcp(port) ? "ALL" : "V4_PREFERRED";
}

json::object dns_cluster(const gateway_view& gateway, const service_port& port) {
  const auto& in = gateway.in;
  const auto& spec = gateway.spec;
  const auto name = cluster_name(gateway.name, port);
  auto type = extension(in, "envoy.clusters.dns", "envoy.extensions.clusters.dns.v3.DnsCluster",
                        {{"allAddressesInSingleEndpoint", true},
                         {"dnsLookupFamily", lookup_family(gateway, port)},
                         {"respectDnsTtl", spec.envoy_respect_dns_ttl.value_or(true)},
                         {"dnsFailureRefreshRate", {{"baseInterval", "1s"}, {"maxInterval", "10s"}}}});
  if (spec.envoy_dns_refresh_rate_s)
    type["typedConfig"].as_object()["dnsRefreshRate"] = fmt::format("{}s", *spec.envoy_dns_refresh_rate_s);
  auto made = base_cluster(gateway, name);
  made["clusterType"] = std::move(type);
  made["loadAssignment"] = assignment(name, one(locality(endpoint(gateway, spec.dns_name, port))));
  if (is_tcp(port)) made["upstreamConnectionOptions"] = keepalive(gateway.in);
  return made;
}

// An override that dies is noticed within 25 s (two checks 10 s apart, a second each), used or not.
json::object health_check(const json::storage_ptr& in) {
  json::object made({{"timeout", "1s"},
                     {"interval", "10s"},
                     {"noTrafficInterval", "10s"},
                     {"healthyThreshold", 3},
                     {"unhealthyThreshold", 2},
                     {"reuseConnection", false}},
                    in);
  made["tcpHealthCheck"].emplace_object();
  made["eventLogger"] =
      one(extension(in, "envoy.health_check.event_sink.file",
                    "envoy.extensions.health_check.event_sinks.file.v3.HealthCheckEventFileSink",
                    {{"eventLogPath", "/dev/stdout"}}));
  return made;
}

json::object override_cluster(const gateway_view& gateway, const service_port& port) {
  const auto name = cluster_name(gateway.name, port) + "-override";
  const bool checked = override_is_checked(gateway.spec, port);
  json::array localities(gateway.in);
  for (const auto& address : gateway.spec.ip_override) {
    auto target = endpoint(gateway, address, port);
    if (checked) target["healthCheckConfig"] = json::object({{"portValue", port.port}}, gateway.in);
    localities.push_back(locality(std::move(target)));
  }
  // One address that is up carries it all: DNS is used only when every override is down.
  const auto addresses = static_cast<std::int64_t>(gateway.spec.ip_override.size());
  auto assigned = assignment(name, std::move(localities));
  assigned["policy"] =
      json::object({{"overprovisioningFactor", 100 * std::max<std::int64_t>(addresses, 2)}}, gateway.in);
  auto made = base_cluster(gateway, name);
  made["type"] = "STATIC";
  made["loadAssignment"] = std::move(assigned);
  if (is_tcp(port)) made["upstreamConnectionOptions"] = keepalive(gateway.in);
  if (checked) {
    made["closeConnectionsOnHostHealthFailure"] = true;
    made["healthChecks"] = one(health_check(gateway.in));
  }
  return made;
}

json::object aggregate_cluster(const gateway_view& gateway, const service_port& port) {
  const auto name = cluster_name(gateway.name, port);
  auto made = base_cluster(gateway, name + "-aggregate");
  made["lbPolicy"] = "CLUSTER_PROVIDED";
  made["clusterType"] = extension(gateway.in, "envoy.clusters.aggregate",
                                  "envoy.extensions.clusters.aggregate.v3.ClusterConfig",
                                  {{"clusters", {name + "-override", name}}});
  return made;
}

// A UDP session lasts a minute from its last datagram, and many clients take a new port for each: Envoy's own
// 1024 would drop datagrams from 17 a second on. They are as many as the memory has room for instead.
std::optional<std::int64_t> connections_of_cluster(const gateway_view& gateway, const service_port& port) {
  if (const auto& asked = gateway.spec.envoy_cluster_max_connections) return asked;
  if (!is_tcp(port)) return reconciler::memory_guard_of(gateway.spec).connections;
  return std::nullopt;
}

}  // namespace

std::string listener_cluster(const gateway_view& gateway, const service_port& port) {
  auto name = cluster_name(gateway.name, port);
  if (gateway.spec.ip_override.empty() || is_wildcard(gateway.spec)) return name;
  return name + (override_is_checked(gateway.spec, port) ? "-aggregate" : "-override");
}

void add_clusters(json::array& clusters, const gateway_view& gateway, const service_port& port) {
  const auto limit = connections_of_cluster(gateway, port);
  const auto add = [&](json::object cluster) {
    if (limit) cluster["circuitBreakers"] = circuit_breakers(gateway.in, *limit);
    clusters.push_back(std::move(cluster));
  };
  if (is_wildcard(gateway.spec)) return add(wildcard_cluster(gateway, port));
  if (!gateway.spec.ip_override.empty()) {
    const bool falls_back = override_is_checked(gateway.spec, port);
    if (falls_back) add(aggregate_cluster(gateway, port));
    add(override_cluster(gateway, port));
    if (!falls_back) return;
  }
  add(dns_cluster(gateway, port));
}

}  // namespace egress::envoy
