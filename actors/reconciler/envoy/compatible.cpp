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
  return json::object({{"address", socket_address(in, address, port.port, port.protocol)}}, in);
}

void add_dns_options(json::object& cluster, const external_service_spec& spec) {
  cluster["dnsLookupFamily"] = "V4_ONLY";
  if (spec.envoy_dns_refresh_rate_s.value_or(0) != 0)
    cluster["dnsRefreshRate"] = fmt::format("{}s", *spec.envoy_dns_refresh_rate_s);
  if (spec.envoy_respect_dns_ttl.value_or(false)) cluster["respectDnsTtl"] = true;
}

json::object dns_cluster(const json::storage_ptr& in, std::string_view name,
                         const external_service_spec& spec, const service_port& port) {
  json::object made({{"connectTimeout", "1s"},
                     {"name", name},
                     {"type", "LOGICAL_DNS"},
                     {"loadAssignment", assignment(name, one(locality(endpoint(in, spec.dns_name, port))))},
                     {"upstreamConnectionOptions", keepalive(in)}},
                    in);
  add_dns_options(made, spec);
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
  auto type =
      extension(in, "envoy.clusters.aggregate", "envoy.extensions.clusters.aggregate.v3.ClusterConfig",
                {{"clusters", {first, then}}});
  return json::object({{"connectTimeout", "1s"},
                       {"lbPolicy", "CLUSTER_PROVIDED"},
                       {"name", name},
                       {"clusterType", std::move(type)}},
                      in);
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
  auto filter =
      extension(in, tcp ? "envoy.tcp_proxy" : "envoy.filters.udp_listener.udp_proxy",
                tcp ? "envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy"
                    : "envoy.extensions.filters.udp.udp_proxy.v3.UdpProxyConfig",
                {{"accessLog", access_log(in, spec.envoy_json_cluster_access_logs, cluster_log_text)},
                 {"cluster", tcp && !spec.ip_override.empty() ? name + "-aggregate" : name},
                 {"statPrefix", tcp ? "tcp_proxy" : "udp_proxy"}});
  json::object chain({{"filters", one(std::move(filter))}}, in);
  return json::object({{"name", name},
                       {"address", socket_address(in, "0.0.0.0", port.port, port.protocol)},
                       {"filterChains", one(std::move(chain))}},
                      in);
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
  return json::object(
      {{"admin",
        {{"accessLog", access_log(in, spec.envoy_json_admin_access_logs, admin_log_text)},
         {"address", socket_address(in, "0.0.0.0", admin_port(spec))}}},
       {"node", {{"cluster", name}}},
       {"staticResources", {{"clusters", std::move(clusters)}, {"listeners", std::move(listeners)}}}},
      in);
}

}  // namespace egress::envoy
