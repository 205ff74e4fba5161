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
  json::object made(gateway.in);
  made["pipe"] = json::object({{"path", fmt::format("@egress-admin-{}", gateway.name)}}, gateway.in);
  return made;
}

json::object route(const json::storage_ptr& in, std::string_view path) {
  json::object get({{"name", ":method"}}, in);
  get["stringMatch"] = json::object({{"exact", "GET"}}, in);
  json::object match({{"path", path}}, in);
  match["headers"] = one(std::move(get));
  json::object made(in);
  made["match"] = std::move(match);
  made["route"] = json::object({{"cluster", admin_name}, {"timeout", "10s"}}, in);
  return made;
}

// What is not served, for who looks into attempts; probes and scrapes would be a line every few seconds.
json::object request_log(const gateway_view& gateway) {
  const auto& in = gateway.in;
  json::object served(in);
  served["safeRegex"] =
      json::object({{"regex", gateway.reloads ? "/(ready|listeners|stats/prometheus)(\\?.*)?"
                                              : "/(ready|stats/prometheus)(\\?.*)?"}},
                   in);
  json::object header({{"name", ":path"}, {"invertMatch", true}}, in);
  header["stringMatch"] = std::move(served);
  json::object filter(in);
  filter["headerFilter"] = json::object({{"header", std::move(header)}}, in);
  auto made = gateway.spec.envoy_json_admin_access_logs ? json_access_log(in, compatible_log_fields())
                                                        : text_access_log(in, admin_log_text);
  made["filter"] = std::move(filter);
  return made;
}

json::object route_config(const gateway_view& gateway) {
  const auto& in = gateway.in;
  json::object host({{"name", admin_name}}, in);
  host["domains"] = one("*");
  auto& routes = host["routes"].emplace_array();
  routes.push_back(route(in, "/ready"));
  routes.push_back(route(in, "/stats/prometheus"));
  // The operator asks which there are before a Service sends to a new one.
  if (gateway.reloads) routes.push_back(route(in, "/listeners"));
  json::object made({{"name", admin_name}}, in);
  // Listeners may come before clusters: what were refused then would be missing until the next change.
  if (gateway.reloads) made["validateClusters"] = false;
  made["virtualHosts"] = one(std::move(host));
  return made;
}

json::object connection_manager(const gateway_view& gateway) {
  const auto& in = gateway.in;
  json::object config({{"statPrefix", admin_name},
                       {"normalizePath", true},
                       {"requestTimeout", "10s"},
                       {"requestHeadersTimeout", "5s"},
                       {"streamIdleTimeout", "15s"}},
                      in);
  config["commonHttpProtocolOptions"] = json::object({{"idleTimeout", "60s"}}, in);
  config["accessLog"] = one(request_log(gateway));
  config["routeConfig"] = route_config(gateway);
  config["httpFilters"] =
      one(extension("envoy.filters.http.router",
                    typed("envoy.extensions.filters.http.router.v3.Router", json::object(in))));
  return extension("envoy.filters.network.http_connection_manager",
                   typed("envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
                         std::move(config)));
}

}  // namespace

json::object admin(const gateway_view& gateway) {
  json::object made(gateway.in);
  made["address"] = admin_address(gateway);
  return made;
}

json::object admin_cluster(const gateway_view& gateway) {
  const auto& in = gateway.in;
  json::object endpoint(in), host(in), locality(in), assignment({{"clusterName", admin_name}}, in);
  endpoint["address"] = admin_address(gateway);
  host["endpoint"] = std::move(endpoint);
  locality["lbEndpoints"] = one(std::move(host));
  assignment["endpoints"] = one(std::move(locality));
  json::object made({{"name", admin_name}, {"type", "STATIC"}, {"connectTimeout", "1s"}}, in);
  made["loadAssignment"] = std::move(assignment);
  return made;
}

// Answers when the gateway is full, too: otherwise load would take every pod out of its Service.
json::object admin_listener(const gateway_view& gateway, std::int64_t port) {
  json::object chain(gateway.in);
  chain["filters"] = one(connection_manager(gateway));
  json::object made({{"name", admin_name},
                     {"bypassOverloadManager", true},
                     {"ignoreGlobalConnLimit", true},
                     {"perConnectionBufferLimitBytes", buffer_bytes}},
                    gateway.in);
  made["address"] = listen_address(gateway, port);
  made["filterChains"] = one(std::move(chain));
  return made;
}

}  // namespace egress::envoy
