#include <fmt/format.h>

#include <utility>

#include "actors/reconciler/envoy/access_log.hpp"
#include "actors/reconciler/envoy/hardened_parts.hpp"
#include "actors/reconciler/envoy/parts.hpp"

namespace egress::envoy {
namespace {

constexpr std::string_view admin_name = "admin";

// An abstract socket (@): nothing outside the pod's network namespace reaches it, and it leaves no file
// behind. The name keeps gateways apart that share a host's namespace.
json::object admin_address(const gateway_view& gateway) {
  json::object made;
  made["pipe"] = json::object{{"path", fmt::format("@egress-admin-{}", gateway.name)}};
  return made;
}

json::object route(std::string_view path) {
  json::object get{{"name", ":method"}};
  get["stringMatch"] = json::object{{"exact", "GET"}};
  json::object match{{"path", path}};
  match["headers"] = one(std::move(get));
  json::object made;
  made["match"] = std::move(match);
  made["route"] = json::object{{"cluster", admin_name}, {"timeout", "10s"}};
  return made;
}

// What is not served, for who looks into attempts; probes and scrapes would be a line every few seconds.
json::object request_log(const gateway_view& gateway) {
  json::object served;
  served["safeRegex"] = json::object{{"regex", gateway.reloads ? "/(ready|listeners|stats/prometheus)(\\?.*)?"
                                                               : "/(ready|stats/prometheus)(\\?.*)?"}};
  json::object header{{"name", ":path"}, {"invertMatch", true}};
  header["stringMatch"] = std::move(served);
  json::object filter;
  filter["headerFilter"] = json::object{{"header", std::move(header)}};
  auto made = gateway.spec.envoy_json_admin_access_logs ? json_access_log(compatible_log_fields())
                                                        : text_access_log(admin_log_text);
  made["filter"] = std::move(filter);
  return made;
}

json::object route_config(const gateway_view& gateway) {
  json::object host{{"name", admin_name}};
  host["domains"] = json::array{"*"};
  auto& routes = (host["routes"] = json::array{route("/ready"), route("/stats/prometheus")}).get_array();
  // The operator asks which there are before a Service sends to a new one.
  if (gateway.reloads) routes.push_back(route("/listeners"));
  json::object made{{"name", admin_name}};
  // Listeners may come before clusters: what were refused then would be missing until the next change.
  if (gateway.reloads) made["validateClusters"] = false;
  made["virtualHosts"] = one(std::move(host));
  return made;
}

json::object connection_manager(const gateway_view& gateway) {
  json::object config{{"statPrefix", admin_name},
                      {"normalizePath", true},
                      {"requestTimeout", "10s"},
                      {"requestHeadersTimeout", "5s"},
                      {"streamIdleTimeout", "15s"}};
  config["commonHttpProtocolOptions"] = json::object{{"idleTimeout", "60s"}};
  config["accessLog"] = one(request_log(gateway));
  config["routeConfig"] = route_config(gateway);
  config["httpFilters"] = one(
      extension("envoy.filters.http.router", typed("envoy.extensions.filters.http.router.v3.Router", {})));
  return extension("envoy.filters.network.http_connection_manager",
                   typed("envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
                         std::move(config)));
}

}  // namespace

json::object admin(const gateway_view& gateway) {
  json::object made;
  made["address"] = admin_address(gateway);
  return made;
}

json::object admin_cluster(const gateway_view& gateway) {
  json::object endpoint, host, locality, assignment{{"clusterName", admin_name}};
  endpoint["address"] = admin_address(gateway);
  host["endpoint"] = std::move(endpoint);
  locality["lbEndpoints"] = one(std::move(host));
  assignment["endpoints"] = one(std::move(locality));
  json::object made{{"name", admin_name}, {"type", "STATIC"}, {"connectTimeout", "1s"}};
  made["loadAssignment"] = std::move(assignment);
  return made;
}

// Answers when the gateway is full, too: otherwise load would take every pod out of its Service.
json::object admin_listener(const gateway_view& gateway, std::int64_t port) {
  json::object chain;
  chain["filters"] = one(connection_manager(gateway));
  json::object made{{"name", admin_name},
                    {"bypassOverloadManager", true},
                    {"ignoreGlobalConnLimit", true},
                    {"perConnectionBufferLimitBytes", buffer_bytes}};
  made["address"] = listen_address(gateway, port);
  made["filterChains"] = one(std::move(chain));
  return made;
}

}  // namespace egress::envoy
