#include <array>
#include <cstdint>
#include <optional>
#include <utility>

#include "actors/reconciler/dns_name.hpp"
#include "actors/reconciler/envoy/access_log.hpp"
#include "actors/reconciler/envoy/configuration.hpp"
#include "actors/reconciler/envoy/hardened.hpp"
#include "actors/reconciler/envoy/hardened_parts.hpp"
#include "actors/reconciler/envoy/parts.hpp"

namespace egress::envoy {
namespace {

using kube::service_port;

json::object connection_log(const gateway_view& gateway) {
  return gateway.spec.envoy_json_cluster_access_logs ? json_access_log(gateway.in, hardened_log_fields())
                                                     : text_access_log(gateway.in, hardened_log_text);
}

json::object tcp_proxy(const gateway_view& gateway, const service_port& port) {
  auto made = extension(gateway.in, "envoy.filters.network.tcp_proxy",
                        "envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy",
                        {{"cluster", listener_cluster(gateway, port)},
                         {"idleTimeout", "3600s"},
                         {"maxConnectAttempts", 3},
                         {"statPrefix", cluster_name(gateway.name, port)},
                         {"accessLog", one(connection_log(gateway))}});
  if (gateway.connects_on_data && guards_addresses(gateway)) {
    auto& config = made["typedConfig"].as_object();
    config["upstreamConnectMode"] = "ON_DOWNSTREAM_DATA";
    config["maxEarlyDataBytes"] = buffer_bytes;
  }
  return made;
}

// Connection N+1 is reset at once: the circuit breaker alone would let it hang before an aggregate cluster,
// also the one that Envoy has by itself.
std::optional<std::int64_t> most_connections(const gateway_view& gateway) {
  constexpr std::int64_t envoys_own = 1024;
  if (const auto& asked = gateway.spec.envoy_cluster_max_connections) return asked;
  if (!gateway.spec.ip_override.empty()) return envoys_own;
  return std::nullopt;
}

json::object connection_limit(const gateway_view& gateway, const service_port& port, std::int64_t most) {
  return extension(gateway.in, "envoy.filters.network.connection_limit",
                   "envoy.extensions.filters.network.connection_limit.v3.ConnectionLimit",
                   {{"maxConnections", most}, {"statPrefix", cluster_name(gateway.name, port)}});
}

bool sni_decides(const gateway_view& gateway) {
  return gateway.spec.tls_sni == "Enforce" || is_wildcard(gateway.spec);
}

// Only TLS connections that name the host find a filter chain; the rest is closed and logged (NR, no route).
// So is who has not named one in time: without `continue` it would be closed, and not logged.
void require_sni(json::object& listener, json::object& chain, const gateway_view& gateway) {
  const auto& in = gateway.in;
  chain["filterChainMatch"] = json::object(
      {{"transportProtocol", "tls"}, {"serverNames", {reconciler::dns_name_key(gateway.spec.dns_name)}}}, in);
  listener["listenerFilters"] =
      one(extension(in, "envoy.filters.listener.tls_inspector",
                    "envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector"));
  listener["listenerFiltersTimeout"] = "5s";
  listener["continueOnListenerFiltersTimeout"] = true;
  auto log = connection_log(gateway);
  log["filter"] = json::object({{"responseFlagFilter", {{"flags", {"NR"}}}}}, in);
  listener["accessLog"] = one(std::move(log));
}

json::object udp_proxy(const gateway_view& gateway, const service_port& port) {
  const auto& in = gateway.in;
  auto route = extension(in, "route", "envoy.extensions.filters.udp.udp_proxy.v3.Route",
                         {{"cluster", listener_cluster(gateway, port)}});
  return extension(in, "envoy.filters.udp_listener.udp_proxy",
                   "envoy.extensions.filters.udp.udp_proxy.v3.UdpProxyConfig",
                   {{"statPrefix", cluster_name(gateway.name, port)},
                    {"accessLog", one(connection_log(gateway))},
                    {"matcher", {{"onNoMatch", {{"action", std::move(route)}}}}}});
}

}  // namespace

json::object listen_address(const gateway_view& gateway, std::int64_t port, std::string_view protocol) {
  auto made = socket_address(gateway.in, gateway.ipv6 ? "::" : "0.0.0.0", port, protocol);
  if (gateway.ipv6) made["socketAddress"].as_object()["ipv4Compat"] = true;
  return made;
}

json::object tcp_listener(const gateway_view& gateway, const service_port& port) {
  json::array filters(gateway.in);
  if (const auto most = most_connections(gateway)) filters.push_back(connection_limit(gateway, port, *most));
  if (is_wildcard(gateway.spec))
    for (auto& filter : wildcard_filters(gateway, port)) filters.push_back(std::move(filter));
  filters.push_back(tcp_proxy(gateway, port));
  json::object chain({{"filters", std::move(filters)}}, gateway.in);
  json::object made({{"name", cluster_name(gateway.name, port)},
                     {"perConnectionBufferLimitBytes", buffer_bytes},
                     {"address", listen_address(gateway, port.port)}},
                    gateway.in);
  if (sni_decides(gateway)) require_sni(made, chain, gateway);
  made["filterChains"] = one(std::move(chain));
  return made;
}

// udp_proxy is a listener filter: Envoy refuses a filter chain on a listener without connections.
json::object udp_listener(const gateway_view& gateway, const service_port& port) {
  return json::object({{"name", cluster_name(gateway.name, port)},
                       {"address", listen_address(gateway, port.port, port.protocol)},
                       {"listenerFilters", one(udp_proxy(gateway, port))}},
                      gateway.in);
}

}  // namespace egress::envoy
