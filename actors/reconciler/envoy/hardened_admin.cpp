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
  return json::object({{"pipe", {{"path", fmt::format("@egress-admin-{}", gateway.name)}}}}, gateway.in);
}

json::object route(const json::storage_ptr& in, std::string_view path) {
  json::object get({{"name", ":method"}, {"stringMatch", {{"exact", "GET"}}}}, in);
  return json::object({{"match", {{"path", path}, {"headers", one(std::move(get))}}},
                       {"route", {{"cluster", admin_name}, {"timeout", "10s"}}}},
                      in);
}

// What is not served, for who looks into attempts; probes and scrapes would be a line every few seconds.
json::object request_log(const gateway_view& gateway) {
  const auto& in = gateway.in;
  const auto* served =
      gateway.reloads ? "/(ready|listeners|stats/prometheus)(\\?.*)?" : "/(ready|stats/prometheus)(\\?.*)?";
  auto made = gateway.spec.envoy_json_admin_access_logs ? json_access_log(in, compatible_log_fields())
                                                        : text_access_log(in, admin_log_text);
  made["filter"] = json::object({{"headerFilter",
                                  {{"header",
                                    {{"name", ":path"},
                                     {"invertMatch", true},
                                     {"stringMatch", {{"safeRegex", {{"regex", served}}}}}}}}}},
                                in);
  return made;
}

json::object route_config(const gateway_view& gateway) {
  const auto& in = gateway.in;
  json::array routes({route(in, "/ready"), route(in, "/stats/prometheus")}, in);
  // The operator asks which there are before a Service sends to a new one.
  if (gateway.reloads) routes.push_back(route(in, "/listeners"));
  json::object host({{"name", admin_name}, {"domains", {"*"}}, {"routes", std::move(routes)}}, in);
  json::object made({{"name", admin_name}, {"virtualHosts", one(std::move(host))}}, in);
  // Listeners may come before clusters: what were refused then would be missing until the next change.
  if (gateway.reloads) made["validateClusters"] = false;
  return made;
}

json::object connection_manager(const gateway_view& gateway) {
  const auto& in = gateway.in;
  auto router = extension(in, "envoy.filters.http.router", "envoy.extensions.filters.http.router.v3.Router");
  return extension(in, "envoy.filters.network.http_connection_manager",
                   "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
                   {{"statPrefix", admin_name},
                    {"normalizePath", true},
                    {"requestTimeout", "10s"},
                    {"requestHeadersTimeout", "5s"},
                    {"streamIdleTimeout", "15s"},
                    {"commonHttpProtocolOptions", {{"idleTimeout", "60s"}}},
                    {"accessLog", one(request_log(gateway))},
                    {"routeConfig", route_config(gateway)},
                    {"httpFilters", one(std::move(router))}});
}

}  // namespace

json::object admin(const gateway_view& gateway) {
  return json::object({{"address", admin_address(gateway)}}, gateway.in);
}

json::object admin_cluster(const gateway_view& gateway) {
  json::object endpoint({{"address", admin_address(gateway)}}, gateway.in);
  return json::object({{"name", admin_name},
                       {"type", "STATIC"},
                       {"connectTimeout", "1s"},
                       {"loadAssignment", assignment(admin_name, one(locality(std::move(endpoint))))}},
                      gateway.in);
}

// Answers when the gateway is full, too: otherwise load would take every pod out of its Service.
json::object admin_listener(const gateway_view& gateway, std::int64_t port) {
  json::object chain({{"filters", one(connection_manager(gateway))}}, gateway.in);
  return json::object({{"name", admin_name},
                       {"bypassOverloadManager", true},
                       {"ignoreGlobalConnLimit", true},
                       {"perConnectionBufferLimitBytes", buffer_bytes},
                       {"address", listen_address(gateway, port)},
                       {"filterChains", one(std::move(chain))}},
                      gateway.in);
}

}  // namespace egress::envoy
