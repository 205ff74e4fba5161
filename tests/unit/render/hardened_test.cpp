// The `hardened` profile: each line of what real Envoy showed of the other one, and the remedy in the
// configuration.

#include "actors/reconciler/envoy/hardened.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "actors/reconciler/desired/gateway.hpp"
#include "actors/reconciler/envoy/configuration.hpp"
#include "actors/reconciler/envoy/image.hpp"
#include "actors/reconciler/yaml_writer.hpp"
#include "tests/unit/render/samples.hpp"

namespace egress::envoy {
namespace {

using kube::external_service_spec;
using testing::HasSubstr;
using testing::Not;

external_service_spec plain() {
  return samples::external_service().as_external_service().spec;
}

json::object bootstrap(const external_service_spec& spec, bool ipv6 = false, bool connects_on_data = false) {
  return hardened_bootstrap(
      {}, "api", spec,
      {.profile = gateway_profile::hardened, .ipv6 = ipv6, .connects_on_data = connects_on_data});
}

// The cluster or listener of a name; an empty object when there is none.
json::object named(const json::object& root, std::string_view list, std::string_view name) {
  for (const auto& one : root.at("staticResources").at(list).as_array())
    if (std::string_view(one.at("name").as_string()) == name) return one.as_object();
  return {};
}

json::value typed_config(const json::value& extension) {
  return extension.at("typedConfig");
}

json::value filter(const json::object& listener, std::size_t index) {
  return listener.at("filterChains").at(0).at("filters").at(index);
}

TEST(hardened, routes_udp_in_listener_filters) {
  auto spec = plain();
  spec.ports = {{53, "UDP"}};
  const auto listener = named(bootstrap(spec), "listeners", "api_UDP_53");
  EXPECT_FALSE(listener.contains("filterChains"));
  const auto proxy = typed_config(listener.at("listenerFilters").at(0));
  EXPECT_EQ(proxy.at("matcher").at("onNoMatch").at("action").at("typedConfig").at("cluster"), "api_UDP_53");
  EXPECT_EQ(proxy.at("statPrefix"), "api_UDP_53");
}

TEST(hardened, uses_dns_only_when_every_override_is_down) {
  auto spec = plain();
  spec.ip_override = {"192.0.2.1", "192.0.2.2", "fe80::"};
  const auto root = bootstrap(spec);
  const auto cluster = named(root, "clusters", "api_TCP_443-override");
  EXPECT_EQ(cluster.at("loadAssignment").at("policy").at("overprovisioningFactor"), 300);
  const auto& check = cluster.at("healthChecks").at(0);
  EXPECT_EQ(check.at("noTrafficInterval"), check.at("interval"));
  EXPECT_FALSE(check.as_object().contains("eventLogPath"));
  EXPECT_EQ(check.at("eventLogger").at(0).at("typedConfig").at("eventLogPath"), "/dev/stdout");
  const auto proxy = typed_config(filter(named(root, "listeners", "api_TCP_443"), 1));
  EXPECT_EQ(proxy.at("cluster"), "api_TCP_443-aggregate");
  EXPECT_EQ(proxy.at("maxConnectAttempts"), 3);
}

// Seen on a real Envoy: the 1025th client within a minute got no answer.
TEST(hardened, has_room_for_as_many_udp_sessions_as_the_memory_has) {
  auto spec = plain();
  spec.ports = {{53, "UDP"}, {53, "TCP"}};
  const auto most = [&](std::string_view name) {
    return samples::at(named(bootstrap(spec), "clusters", name),
                       "/circuitBreakers/thresholds/0/maxConnections");
  };
  EXPECT_EQ(most("api_UDP_53"), 16384);
  EXPECT_FALSE(named(bootstrap(spec), "clusters", "api_TCP_53").contains("circuitBreakers"));
  spec.ip_override = {"192.0.2.1"};
  for (const auto* name : {"api_UDP_53-aggregate", "api_UDP_53-override", "api_UDP_53"})
    EXPECT_EQ(most(name), 16384);
  spec.envoy_cluster_max_connections = 7;
  EXPECT_EQ(most("api_UDP_53"), 7);
}

// Seen on a real Envoy: connection 1025 hung before an aggregate cluster, whose members have Envoy's own
// limit.
TEST(hardened, limits_connections_to_overrides_as_envoy_does_without_a_wish) {
  auto spec = plain();
  EXPECT_EQ(filter(named(bootstrap(spec), "listeners", "api_TCP_443"), 0).at("name"),
            "envoy.filters.network.tcp_proxy");
  spec.ip_override = {"192.0.2.1"};
  const auto first = filter(named(bootstrap(spec), "listeners", "api_TCP_443"), 0);
  EXPECT_EQ(first.at("name"), "envoy.filters.network.connection_limit");
  EXPECT_EQ(typed_config(first).at("maxConnections"), 1024);
}

TEST(hardened, checks_a_udp_override_by_tcp_on_the_same_port_or_not_at_all) {
  auto spec = plain();
  spec.ip_override = {"192.0.2.1"};
  spec.ports = {{53, "UDP"}, {53, "TCP"}, {123, "UDP"}};
  const auto root = bootstrap(spec);
  const auto target = [&](std::string_view name) {
    return typed_config(named(root, "listeners", name).at("listenerFilters").at(0))
        .at("matcher")
        .at("onNoMatch")
        .at("action")
        .at("typedConfig")
        .at("cluster");
  };
  EXPECT_EQ(target("api_UDP_53"), "api_UDP_53-aggregate");
  EXPECT_TRUE(named(root, "clusters", "api_UDP_53-override").contains("healthChecks"));
  EXPECT_EQ(target("api_UDP_123"), "api_UDP_123-override");
  EXPECT_FALSE(named(root, "clusters", "api_UDP_123-override").contains("healthChecks"));
  EXPECT_TRUE(named(root, "clusters", "api_UDP_123").empty()) << "unchecked, so never falls back to DNS";
}

TEST(hardened, limits_connections_before_the_proxy_and_keeps_the_circuit_breaker) {
  auto spec = plain();
  spec.envoy_cluster_max_connections = 7;
  const auto root = bootstrap(spec);
  const auto listener = named(root, "listeners", "api_TCP_443");
  EXPECT_EQ(filter(listener, 0).at("name"), "envoy.filters.network.connection_limit");
  EXPECT_EQ(typed_config(filter(listener, 0)).at("maxConnections"), 7);
  EXPECT_EQ(filter(listener, 1).at("name"), "envoy.filters.network.tcp_proxy");
  EXPECT_EQ(named(root, "clusters", "api_TCP_443")
                .at("circuitBreakers")
                .at("thresholds")
                .at(0)
                .at("maxConnections"),
            7);
}

TEST(hardened, serves_only_ready_and_stats_on_the_admin_port) {
  auto spec = plain();
  spec.ports = {{11000, "TCP"}};
  const auto root = bootstrap(spec);
  EXPECT_EQ(samples::at(root, "/admin/address/pipe/path"), "@egress-admin-api");
  const auto listener = named(root, "listeners", "admin");
  EXPECT_EQ(listener.at("address").at("socketAddress").at("portValue"), 11001);
  EXPECT_EQ(listener.at("ignoreGlobalConnLimit"), true);
  const auto manager = typed_config(filter(listener, 0));
  std::set<std::string> paths;
  for (const auto& route : manager.at("routeConfig").at("virtualHosts").at(0).at("routes").as_array()) {
    paths.insert(route.at("match").at("path").as_string().c_str());
    EXPECT_EQ(route.at("match").at("headers").at(0).at("stringMatch").at("exact"), "GET");
    EXPECT_EQ(route.at("route").at("cluster"), "admin");
  }
  EXPECT_EQ(paths, (std::set<std::string>{"/ready", "/stats/prometheus"}));
  EXPECT_EQ(named(root, "clusters", "admin")
                .at("loadAssignment")
                .at("endpoints")
                .at(0)
                .at("lbEndpoints")
                .at(0)
                .at("endpoint")
                .at("address")
                .at("pipe")
                .at("path"),
            "@egress-admin-api");
  EXPECT_EQ(manager.at("accessLog").at(0).at("filter").at("headerFilter").at("header").at("invertMatch"),
            true)
      << "no line for a probe";
}

TEST(hardened, looks_names_up_without_deprecated_fields_and_respects_the_ttl) {
  auto spec = plain();
  const auto dns = [&] {
    const auto cluster = named(bootstrap(spec), "clusters", "api_TCP_443");
    EXPECT_EQ(cluster.at("clusterType").at("name"), "envoy.clusters.dns");
    EXPECT_FALSE(cluster.contains("dnsRefreshRate") || cluster.contains("respectDnsTtl"));
    return cluster.at("clusterType").at("typedConfig").as_object();
  };
  EXPECT_EQ(dns().at("respectDnsTtl"), true);
  EXPECT_EQ(dns().at("allAddressesInSingleEndpoint"), true);
  EXPECT_TRUE(dns().contains("dnsFailureRefreshRate"));
  EXPECT_FALSE(dns().contains("dnsRefreshRate"));
  spec.envoy_respect_dns_ttl = false;
  spec.envoy_dns_refresh_rate_s = 30;
  EXPECT_EQ(dns().at("respectDnsTtl"), false);
  EXPECT_EQ(dns().at("dnsRefreshRate"), "30s");
}

TEST(hardened, listens_on_both_families_where_the_service_has_ipv6) {
  auto spec = plain();
  spec.ports.push_back({53, "UDP"});
  for (const auto* name : {"api_TCP_443", "api_UDP_53", "admin"}) {
    const auto four = named(bootstrap(spec, false), "listeners", name).at("address").at("socketAddress");
    EXPECT_EQ(four.at("address"), "0.0.0.0");
    const auto six = named(bootstrap(spec, true), "listeners", name).at("address").at("socketAddress");
    EXPECT_EQ(six.at("address"), "::");
    EXPECT_EQ(six.at("ipv4Compat"), true);
  }
}

TEST(hardened, has_time_outs_small_buffers_and_a_memory_guard) {
  auto spec = plain();
  auto root = bootstrap(spec);
  const auto cluster = named(root, "clusters", "api_TCP_443");
  EXPECT_EQ(cluster.at("connectTimeout"), "5s");
  EXPECT_EQ(cluster.at("perConnectionBufferLimitBytes"), 32768);
  const auto listener = named(root, "listeners", "api_TCP_443");
  EXPECT_EQ(listener.at("perConnectionBufferLimitBytes"), 32768);
  EXPECT_EQ(typed_config(filter(listener, 0)).at("idleTimeout"), "3600s");
  const auto monitors = [&] { return root.at("overloadManager").at("resourceMonitors").as_array(); };
  ASSERT_EQ(monitors().size(), 2U);
  EXPECT_EQ(typed_config(monitors()[0]).at("maxHeapSizeBytes"), (std::int64_t{1} << 30) / 10 * 9);
  EXPECT_EQ(typed_config(monitors()[1]).at("maxActiveDownstreamConnections"), (1 << 30) / 65536);
  const auto& actions = root.at("overloadManager").at("actions").as_array();
  ASSERT_EQ(actions.size(), 2U);
  EXPECT_EQ(actions[1].at("name"), "envoy.overload_actions.reject_incoming_connections");
  spec.resources = kube::resource_requirements{};
  root = bootstrap(spec);
  ASSERT_EQ(monitors().size(), 1U) << "no limit, no fixed heap";
  EXPECT_FALSE(root.at("overloadManager").as_object().contains("actions"));
}

TEST(hardened, lets_only_the_right_sni_pass_when_asked) {
  auto spec = plain();
  EXPECT_FALSE(named(bootstrap(spec), "listeners", "api_TCP_443").contains("listenerFilters"));
  spec.dns_name = "API.Example.com.";
  spec.tls_sni = "Enforce";
  const auto listener = named(bootstrap(spec), "listeners", "api_TCP_443");
  EXPECT_EQ(listener.at("listenerFilters").at(0).at("name"), "envoy.filters.listener.tls_inspector");
  const auto& match = listener.at("filterChains").at(0).at("filterChainMatch");
  EXPECT_EQ(match.at("serverNames"), (json::array{"api.example.com"}));
  EXPECT_EQ(match.at("transportProtocol"), "tls");
  EXPECT_EQ(listener.at("filterChains").as_array().size(), 1U) << "none for who names nobody";
  EXPECT_EQ(listener.at("continueOnListenerFiltersTimeout"), true) << "so that it is logged";
  EXPECT_FALSE(listener.contains("defaultFilterChain"));
  EXPECT_EQ(listener.at("accessLog").at(0).at("filter").at("responseFlagFilter").at("flags"),
            (json::array{"NR"}));
}

TEST(hardened, logs_flags_and_the_address_that_was_reached) {
  auto spec = plain();
  const auto format = [&] {
    return typed_config(typed_config(filter(named(bootstrap(spec), "listeners", "api_TCP_443"), 0))
                            .at("accessLog")
                            .at(0))
        .at("logFormat");
  };
  const std::string text = format().at("textFormatSource").at("inlineString").as_string().c_str();
  EXPECT_NE(text.find("%RESPONSE_FLAGS%"), std::string::npos);
  EXPECT_NE(text.find("%UPSTREAM_REMOTE_ADDRESS%"), std::string::npos);
  spec.envoy_json_cluster_access_logs = true;
  EXPECT_EQ(format().at("jsonFormat").at("upstream_remote_address"), "%UPSTREAM_REMOTE_ADDRESS%");
  EXPECT_EQ(format().at("jsonFormat").at("response_flags"), "%RESPONSE_FLAGS%");
}

TEST(hardened, sends_wildcards_where_their_sni_says_if_that_is_public) {
  auto spec = plain();
  spec.dns_name = "*.Example.com";
  const auto listener = named(bootstrap(spec), "listeners", "api_TCP_443");
  EXPECT_EQ(listener.at("filterChains").at(0).at("filterChainMatch").at("serverNames"),
            (json::array{"*.example.com"}));
  EXPECT_EQ(typed_config(filter(listener, 0)).at("saveUpstreamAddress"), true);
  const auto rules = typed_config(filter(listener, 1)).at("rules");
  EXPECT_EQ(rules.at("action"), "ALLOW");
  const auto& all = rules.at("policies")
                        .at("public-addresses")
                        .at("permissions")
                        .at(0)
                        .at("andRules")
                        .at("rules")
                        .as_array();
  EXPECT_TRUE(all[0].as_object().contains("orRules"))
      << "an unknown address is in no range: it must not pass";
  std::set<std::string> refused;
  for (std::size_t i = 1; i < all.size(); ++i)
    refused.insert(all[i]
                       .at("notRule")
                       .at("matcher")
                       .at("typedConfig")
                       .at("upstreamIp")
                       .at("addressPrefix")
                       .as_string()
                       .c_str());
  for (const auto* range :
       {"10.0.0.0", "172.16.0.0", "192.168.0.0", "100.64.0.0", "127.0.0.0", "169.254.0.0", "224.0.0.0",
        "fc00::", "fe80::", "::ffff:0:0", "64:ff9b::", "::", "ff00::", "2001::", "100::"})
    EXPECT_TRUE(refused.contains(range)) << range;
  EXPECT_EQ(filter(listener, 2).at("name"), "envoy.filters.network.tcp_proxy");
  spec.allow_private = true;
  EXPECT_EQ(filter(named(bootstrap(spec), "listeners", "api_TCP_443"), 1).at("name"),
            "envoy.filters.network.tcp_proxy");
}

TEST(hardened, refuses_the_clusters_own_ranges_beside_the_usual_ones) {
  auto from = samples::external_service();
  samples::change_spec(from, [](auto& spec) { spec.dns_name = "*.example.com"; });
  auto settings = samples::hardened();
  const auto rules_with = [&](std::vector<std::string> ranges) {
    settings.private_ranges = std::move(ranges);
    std::string text = desired::make_gateway(from, settings).config.text;
    std::erase(text, ' ');
    return text;
  };
  const auto rule = [](std::string_view address, int length) {
    return fmt::format("upstreamIp:\naddressPrefix:{}\nprefixLen:{}\n", address, length);
  };
  EXPECT_THAT(rules_with({}), Not(HasSubstr(rule("203.0.113.0", 25))));
  const auto both = rules_with({"203.0.113.0/25", "2001:db8:1::/48"});
  EXPECT_THAT(both, HasSubstr(rule("203.0.113.0", 25)));
  EXPECT_THAT(both, HasSubstr(rule("'2001:db8:1::'", 48)));
  EXPECT_THAT(both, HasSubstr(rule("10.0.0.0", 8)));
  samples::change_spec(from, [](auto& spec) { spec.allow_private = true; });
  EXPECT_THAT(rules_with({"203.0.113.0/25"}), Not(HasSubstr("203.0.113.0")))
      << "allowPrivate lifts all of it";
}

TEST(hardened, calls_statistics_by_the_cluster) {
  EXPECT_EQ(typed_config(filter(named(bootstrap(plain()), "listeners", "api_TCP_443"), 0)).at("statPrefix"),
            "api_TCP_443");
}

// One file a feature, so that a change of what gateways run is seen in review. (Real Envoy loads each:
// tests/golden/hardened/README.)
class snapshot : public testing::TestWithParam<const char*> {};

external_service_spec feature(const std::string& name) {
  if (name == "override") return samples::golden("override").as_external_service().spec;
  if (name == "udp-and-tcp") return samples::golden("udp-and-tcp").as_external_service().spec;
  auto spec = plain();
  if (name == "sni") spec.tls_sni = "Enforce";
  if (name.starts_with("wildcard")) spec.dns_name = "*.example.com";
  if (name == "dual-stack") spec.ports.push_back({53, "UDP"});
  return spec;
}

TEST_P(snapshot, is_what_was_reviewed) {
  const std::string_view name = GetParam();
  EXPECT_EQ(yaml::to_text(bootstrap(feature(GetParam()), name == "dual-stack", name.ends_with("-1.40"))),
            samples::file_text(std::string("tests/golden/hardened/") + GetParam() + ".envoy.yaml"));
}

INSTANTIATE_TEST_SUITE_P(features, snapshot,
                         testing::Values("minimal", "override", "udp-and-tcp", "sni", "wildcard",
                                         "wildcard-1.40", "dual-stack"),
                         [](const auto& tested) {
                           std::string name = tested.param;
                           std::ranges::replace_if(name, [](char c) { return c == '-' || c == '.'; }, '_');
                           return name;
                         });

TEST(image, tells_its_version_by_its_tag) {
  for (const auto* newer :
       {"envoyproxy/envoy:v1.40.0", "envoyproxy/envoy:v1.41-latest", "e:distroless-v1.40.2",
        "registry.example:5000/a/envoy:1.40", "e:v2.0.0", "e:v1.40.0@sha256:ab12"})
    EXPECT_TRUE(image_has(newer, 40)) << newer;
  for (const auto* older : {"envoyproxy/envoy:v1.36.2", "e:latest", "e", "registry.example:5000/envoy",
                            "e:v1", "e:v1.", "e@sha256:140.40", "registry.example:1.40/envoy", "e:v0.41"})
    EXPECT_FALSE(image_has(older, 40)) << older;
  EXPECT_EQ(image({}), "envoyproxy/envoy:v1.40.0");
  EXPECT_EQ(image(samples::compatible()), "envoyproxy/envoy:v1.25.9");
}

TEST(config_hash, is_fnv_1a_without_leading_zeros) {
  EXPECT_EQ(config_hash(""), "811c9dc5");
  EXPECT_EQ(config_hash("a"), "e40c292c");
  EXPECT_EQ(config_hash("foobar"), "bf9cf968");
}

TEST(admin_port, is_the_first_free_of_tcp_from_11000_on) {
  external_service_spec spec;
  spec.ports = {{11000, "UDP"}};
  EXPECT_EQ(admin_port(spec), 11000);
  spec.ports = {{11001, "TCP"}, {11000, "TCP"}};
  EXPECT_EQ(admin_port(spec), 11002);
}

}  // namespace
}  // namespace egress::envoy
