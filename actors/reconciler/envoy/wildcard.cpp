#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "actors/reconciler/envoy/configuration.hpp"
#include "actors/reconciler/envoy/hardened.hpp"
#include "actors/reconciler/envoy/hardened_parts.hpp"
#include "actors/reconciler/envoy/parts.hpp"

namespace egress::envoy {
namespace {

using kube::service_port;

struct range {
  std::string_view address;
  int length;
};

// Not public, or able to stand for what is not: a gateway that everyone may use must not open the inside.
constexpr std::array not_public{
    range{"0.0.0.0", 8},      range{"10.0.0.0", 8},     range{"100.64.0.0", 10}, range{"127.0.0.0", 8},
    range{"169.254.0.0", 16}, range{"172.16.0.0", 12},  range{"192.0.0.0", 24},  range{"192.168.0.0", 16},
    range{"198.18.0.0", 15},  range{"224.0.0.0", 3},    range{"::", 96},         range{"::ffff:0:0", 96},
    range{"64:ff9b::", 96},   range{"64:ff9b:1::", 48}, range{"100::", 64},      range{"2001::", 32},
    range{"2002::", 16},      range{"fc00::", 7},       range{"fe80::", 10},     range{"fec0::", 10},
    range{"ff00::", 8},
};

// Of a CIDR that the flag has let pass.
range parsed(std::string_view cidr) {
  const auto slash = cidr.find('/');
  range made{cidr.substr(0, slash), 0};
  std::from_chars(cidr.data() + slash + 1, cidr.data() + cidr.size(), made.length);
  return made;
}

json::object upstream_in(const json::storage_ptr& in, const range& of) {
  auto matcher = extension(in, "envoy.rbac.matchers.upstream_ip_port",
                           "envoy.extensions.rbac.matchers.upstream_ip_port.v3.UpstreamIpPortMatcher",
                           {{"upstreamIp", {{"addressPrefix", of.address}, {"prefixLen", of.length}}}});
  return json::object({{"matcher", std::move(matcher)}}, in);
}

json::object rules_of(std::string_view operation, json::array rules) {
  const auto in = rules.storage();
  return json::object({{operation, {{"rules", std::move(rules)}}}}, in);
}

// ALLOW what is an address and in none of the ranges. A DENY rule would let pass what it cannot judge; the
// first part (any IPv4, any IPv6) fails for a connection without a known address.
json::object public_only(const gateway_view& gateway, const service_port& port) {
  const auto& in = gateway.in;
  json::array all(in), any({upstream_in(in, {"0.0.0.0", 0}), upstream_in(in, {"::", 0})}, in);
  all.push_back(rules_of("orRules", std::move(any)));
  const auto refuse = [&](const range& of) {
    all.push_back(json::object({{"notRule", upstream_in(in, of)}}, in));
  };
  std::ranges::for_each(not_public, refuse);
  for (const auto& cidr : gateway.private_ranges) refuse(parsed(cidr));
  json::object policy({{"permissions", one(rules_of("andRules", std::move(all)))},
                       {"principals", one(json::object({{"any", true}}, in))}},
                      in);
  return extension(
      in, "envoy.filters.network.rbac", "envoy.extensions.filters.network.rbac.v3.RBAC",
      {{"statPrefix", cluster_name(gateway.name, port)},
       {"rules", {{"action", "ALLOW"}, {"policies", {{"public-addresses", std::move(policy)}}}}}});
}

// A running Envoy refuses a name it has with other settings, so that they must be in it.
std::string cache_name(const gateway_view& gateway) {
  if (!gateway.reloads) return fmt::format("{}_dns", gateway.name);
  return fmt::format("{}_dns{}_{}s", gateway.name, gateway.ipv6 ? "64" : "",
                     gateway.spec.envoy_dns_refresh_rate_s.value_or(0));
}

// Filter and cluster share the cache by name; its settings must be the same in both.
json::object cache(const gateway_view& gateway) {
  json::object made({{"name", cache_name(gateway)},
                     {"dnsLookupFamily", gateway.ipv6 ? "ALL" : "V4_PREFERRED"},
                     {"dnsFailureRefreshRate", {{"baseInterval", "1s"}, {"maxInterval", "10s"}}}},
                    gateway.in);
  if (gateway.spec.envoy_dns_refresh_rate_s)
    made["dnsRefreshRate"] = fmt::format("{}s", *gateway.spec.envoy_dns_refresh_rate_s);
  return made;
}

}  // namespace

json::object wildcard_cluster(const gateway_view& gateway, const service_port& port) {
  auto type = extension(gateway.in, "envoy.clusters.dynamic_forward_proxy",
                        "envoy.extensions.clusters.dynamic_forward_proxy.v3.ClusterConfig",
                        {{"dnsCacheConfig", cache(gateway)}});
  return json::object({{"name", cluster_name(gateway.name, port)},
                       {"connectTimeout", "5s"},
                       {"lbPolicy", "CLUSTER_PROVIDED"},
                       {"perConnectionBufferLimitBytes", buffer_bytes},
                       {"clusterType", std::move(type)},
                       {"upstreamConnectionOptions", keepalive(gateway.in)}},
                      gateway.in);
}

bool guards_addresses(const gateway_view& gateway) {
  return is_wildcard(gateway.spec) && !gateway.spec.allow_private;
}

json::array wildcard_filters(const gateway_view& gateway, const service_port& port) {
  auto made = one(extension(
      gateway.in, "envoy.filters.network.sni_dynamic_forward_proxy",
      "envoy.extensions.filters.network.sni_dynamic_forward_proxy.v3.FilterConfig",
      {{"portValue", port.port}, {"saveUpstreamAddress", true}, {"dnsCacheConfig", cache(gateway)}}));
  if (guards_addresses(gateway)) made.push_back(public_only(gateway, port));
  return made;
}

}  // namespace egress::envoy
