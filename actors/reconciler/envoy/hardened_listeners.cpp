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
  json::object config({{"cluster", listener_cluster(gateway, port)},
                       {"idleTimeout", "3600s"},
                       {"maxConnectAttempts", 3},
                       {"statPrefix", cluster_name(gateway.name, port)}},
                      gateway.in);
  config["accessLog"] = one(connection_log(gateway));
  if (gateway.connects_on_data && guards_addresses(gateway)) {
    config["upstreamConnectMode"] = "ON_DOWNSTREAM_DATA";
    config["maxEarlyDataBytes"] = buffer_bytes;
  }
  return extension("envoy.filters.network.tcp_proxy",
                   typed("envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy", std::move(config)));
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
  return extension(
      "envoy.filters.network.connection_limit",
      typed("envoy.extensions.filters.network.connection_limit.v3.ConnectionLimit",
            json::object({{"maxConnections", most}, {"statPrefix", cluster_name(gateway.name, port)}},
                         gateway.in)));
}

bool sni_decides(const gateway_view& gateway) {
  return gateway.spec.tls_sni == "Enforce" || is_wildcard(gateway.spec);
}

// Only TLS connections that name the host find a filter chain; the rest is closed and logged (NR, no route).
// So is who has not named one in time: without `continue` it would be closed, and not logged.
void require_sni(json::object& listener, json::object& chain, const gateway_view& gateway) {
  const auto& in = gateway.in;
  json::object match({{"transportProtocol", "tls"}}, in);
  match["serverNames"] = one(json::value(reconciler::dns_name_key(gateway.spec.dns_name), in));
  chain["filterChainMatch"] = std::move(match);
  listener["listenerFilters"] = one(
      extension("envoy.filters.listener.tls_inspector",
                typed("envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector", json::object(in))));
  listener["listenerFiltersTimeout"] = "5s";
  listener["continueOnListenerFiltersTimeout"] = true;
  json::object unmatched(in);
  unmatched["responseFlagFilter"] = json::object({{"flags", one("NR")}}, in);
  auto log = connection_log(gateway);
  log["filter"] = std::move(unmatched);
  listener["accessLog"] = one(std::move(log));
}

json::object udp_proxy(const gateway_view& gateway, const service_port& port) {
  const auto& in = gateway.in;
  json::object action(in);
  action["action"] =
      extension("route", typed("envoy.extensions.filters.udp.udp_proxy.v3.Route",
                               json::object({{"cluster", listener_cluster(gateway, port)}}, in)));
  json::object matcher(in);
  matcher["onNoMatch"] = std::move(action);
  json::object config({{"statPrefix", cluster_name(gateway.name, port)}}, in);
  config["accessLog"] = one(connection_log(gateway));
  config["matcher"] = std::move(matcher);
  return extension("envoy.filters.udp_listener.udp_proxy",
                   typed("envoy.extensions.filters.udp.udp_proxy.v3.UdpProxyConfig", std::move(config)));
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
  json::object chain(gateway.in);
  chain["filters"] = std::move(filters);
  json::object made(
      {{"name", cluster_name(gateway.name, port)}, {"perConnectionBufferLimitBytes", buffer_bytes}},
      gateway.in);
  made["address"] = listen_address(gateway, port.port);
  if (sni_decides(gateway)) require_sni(made, chain, gateway);
  made["filterChains"] = one(std::move(chain));
  return made;
}

// udp_proxy is a listener filter: Envoy refuses a filter chain on a listener without connections.
json::object udp_listener(const gateway_view& gateway, const service_port& port) {
  json::object made({{"name", cluster_name(gateway.name, port)}}, gateway.in);
  made["address"] = listen_address(gateway, port.port, port.protocol);
  made["listenerFilters"] = one(udp_proxy(gateway, port));
  return made;
}

}  // namespace egress::envoy
