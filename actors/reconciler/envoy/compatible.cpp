#include "actors/reconciler/envoy/compatible.hpp"

#include <fmt/format.h>

#include <utility>

#include "actors/reconciler/envoy/access_log.hpp"
#include "actors/reconciler/envoy/configuration.hpp"
#include "actors/reconciler/envoy/parts.hpp"

namespace egress::envoy {
namespace {

using kube::external_service_spec;
using kube::service_port;

json::object endpoint(const json::storage_ptr& in, std::string_view address, const service_port& port) {
  json::object made(in);
  made["address"] = socket_address(in, address, port.port, port.protocol);
  return made;
}

// A locality of one endpoint.
json::object locality(json::object target) {
  json::object host(target.storage());
  host["endpoint"] = std::move(target);
  json::object made(host.storage());
  made["lbEndpoints"] = one(std::move(host));
  return made;
}

json::object assignment(std::string_view cluster, json::array localities) {
  json::object made(localities.storage());
  made["clusterName"] = cluster;
  made["endpoints"] = std::move(localities);
  return made;
}

void add_dns_options(json::object& cluster, const external_service_spec& spec) {
  cluster["dnsLookupFamily"] = "V4_ONLY";
  if (spec.envoy_dns_refresh_rate_s.value_or(0) != 0)
    cluster["dnsRefreshRate"] = fmt::format("{}s", *spec.envoy_dns_refresh_rate_s);
  if (spec.envoy_respect_dns_ttl.value_or(false)) cluster["respectDnsTtl"] = true;
}

json::object dns_cluster(const json::storage_ptr& in, std::string_view name,
                         const external_service_spec& spec, const service_port& port) {
  json::object made({{"connectTimeout", "1s"}, {"name", name}, {"type", "LOGICAL_DNS"}}, in);
  add_dns_options(made, spec);
  made["loadAssignment"] = assignment(name, one(locality(endpoint(in, spec.dns_name, port))));
  made["upstreamConnectionOptions"] = keepalive(in);
  return made;
}

json::object health_check(const json::storage_ptr& in) {
  json::object made({{"eventLogPath", "/dev/stdout"},
                     {"healthyThreshold", 3},
                     {"interval", "10s"},
                     {"reuseConnection", false},
                     {"timeout", "1s"},
                     {"unhealthyThreshold", 2}},
                    in);
  made["tcpHealthCheck"].emplace_object();
  return made;
}

json::object override_cluster(const json::storage_ptr& in, const std::string& name,
                              const external_service_spec& spec, const service_port& port) {
  json::object made({{"closeConnectionsOnHostHealthFailure", true},
                     {"connectTimeout", "1s"},
                     {"name", name},
                     {"type", "STATIC"}},
                    in);
  add_dns_options(made, spec);
  made["healthChecks"] = one(health_check(in));
  json::array localities(in);
  for (const auto& address : spec.ip_override) {
    auto target = endpoint(in, address, port);
    target["healthCheckConfig"] = json::object({{"portValue", port.port}}, in);
    localities.push_back(locality(std::move(target)));
  }
  made["loadAssignment"] = assignment(name, std::move(localities));
  return made;
}

json::object aggregate_cluster(const json::storage_ptr& in, const std::string& name, const std::string& first,
                               const std::string& then) {
  json::object config(in);
  config["clusters"] = json::array({first, then}, in);
  json::object made({{"connectTimeout", "1s"}, {"lbPolicy", "CLUSTER_PROVIDED"}, {"name", name}}, in);
  made["clusterType"] =
      extension("envoy.clusters.aggregate",
                typed("envoy.extensions.clusters.aggregate.v3.ClusterConfig", std::move(config)));
  return made;
}

void add_clusters(json::array& clusters, const std::string& name, const external_service_spec& spec,
                  const service_port& port) {
  const auto& in = clusters.storage();
  const auto add = [&](json::object cluster) {
    if (spec.envoy_cluster_max_connections)
      cluster["circuitBreakers"] = circuit_breakers(in, *spec.envoy_cluster_max_connections);
    clusters.push_back(std::move(cluster));
  };
  if (!spec.ip_override.empty()) {
    add(aggregate_cluster(in, name + "-aggregate", name + "-override", name));
    add(override_cluster(in, name + "-override", spec, port));
  }
  add(dns_cluster(in, name, spec, port));
}

json::array access_log(const json::storage_ptr& in, bool as_json, std::string_view text) {
  return one(as_json ? json_access_log(in, compatible_log_fields()) : text_access_log(in, text));
}

json::object listener(const json::storage_ptr& in, const std::string& name, const external_service_spec& spec,
                      const service_port& port) {
  const bool tcp = is_tcp(port);
  json::object config(in);
  config["accessLog"] = access_log(in, spec.envoy_json_cluster_access_logs, cluster_log_text);
  config["cluster"] = tcp && !spec.ip_override.empty() ? name + "-aggregate" : name;
  config["statPrefix"] = tcp ? "tcp_proxy" : "udp_proxy";
  auto filter =
      tcp ? extension("envoy.tcp_proxy",
                      typed("envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy", std::move(config)))
          : extension("envoy.filters.udp_listener.udp_proxy",
                      typed("envoy.extensions.filters.udp.udp_proxy.v3.UdpProxyConfig", std::move(config)));
  json::object chain(in);
  chain["filters"] = one(std::move(filter));
  json::object made({{"name", name}}, in);
  made["address"] = socket_address(in, "0.0.0.0", port.port, port.protocol);
  made["filterChains"] = one(std::move(chain));
  return made;
}

}  // namespace

json::object compatible_bootstrap(const json::storage_ptr& in, std::string_view name,
                                  const external_service_spec& spec) {
  json::array clusters(in), listeners(in);
  for (const auto& port : spec.ports) {
    const auto title = cluster_name(name, port);
    add_clusters(clusters, title, spec, port);
    listeners.push_back(listener(in, title, spec, port));
  }
  json::object admin(in);
  admin["accessLog"] = access_log(in, spec.envoy_json_admin_access_logs, admin_log_text);
  admin["address"] = socket_address(in, "0.0.0.0", admin_port(spec));
  json::object resources(in);
  resources["clusters"] = std::move(clusters);
  resources["listeners"] = std::move(listeners);
  json::object made(in);
  made["admin"] = std::move(admin);
  made["node"] = json::object({{"cluster", name}}, in);
  made["staticResources"] = std::move(resources);
  return made;
}

}  // namespace egress::envoy
