// Every rule by which an ExternalService is refused, and what lies just inside it.

#include "actors/reconciler/validate.hpp"

#include <gtest/gtest.h>

#include <array>
#include <functional>
#include <tuple>

#include "actors/reconciler/effective.hpp"
#include "tests/unit/render/samples.hpp"

namespace egress::reconciler {
namespace {

using kube::external_service_spec;
using change = std::function<void(external_service_spec&)>;

std::string reason_of(const change& edit, gateway_profile profile = gateway_profile::hardened,
                      const std::string& name = "api") {
  auto spec = samples::external_service().as_external_service().spec;
  edit(spec);
  const auto refused = validate(samples::external_service(name, spec), profile);
  if (!refused) return "";
  EXPECT_FALSE(refused->message.empty());
  EXPECT_EQ(refused->message.find('\n'), std::string::npos) << refused->message;
  return refused->reason;
}

change dns_name(std::string name) {
  return [=](auto& spec) { spec.dns_name = name; };
}
change ports(std::vector<kube::service_port> list) {
  return [=](auto& spec) { spec.ports = list; };
}
change amounts(std::map<std::string, std::string> requests, std::map<std::string, std::string> limits) {
  return [=](auto& spec) {
    spec.resources = kube::resource_requirements{.requests = requests, .limits = limits};
  };
}
using member = std::optional<std::int64_t> external_service_spec::*;
change number(member field, std::int64_t value) {
  return [=](auto& spec) { spec.*field = value; };
}

TEST(validate, accepts_a_host_and_a_port) {
  EXPECT_EQ(reason_of([](auto&) {}), "");
}

TEST(validate, lets_no_name_of_the_cluster_be_hijacked) {
  const auto judged = [](const std::string& name, bool hijack, std::string_view domain) {
    auto spec = samples::external_service().as_external_service().spec;
    spec.dns_name = name;
    spec.hijack_dns = hijack;
    const auto refused = validate(samples::external_service("api", spec), gateway_profile::hardened, domain);
    return refused ? refused->reason : "";
  };
  for (const auto* name : {"kubernetes.default.svc.cluster.local", "API.ns.svc.Cluster.Local.",
                           "cluster.local", "*.svc.cluster.local", "*.cluster.local"}) {
    EXPECT_EQ(judged(name, true, "cluster.local"), "ClusterName") << name;
    EXPECT_EQ(judged(name, false, "cluster.local"), "") << name;
    EXPECT_EQ(judged(name, true, "k8s.example"), "") << name;
  }
  for (const auto* name : {"mycluster.local", "cluster.local.example.com", "*.local"})
    EXPECT_EQ(judged(name, true, "cluster.local"), "") << name;
}

TEST(validate, judges_the_dns_name) {
  const std::string label(63, 'a');
  const auto longest = label + "." + label + "." + label + "." + std::string(61, 'a');
  for (const auto& good :
       {std::string("a"), std::string("1.5"), std::string("API.Example.com."), std::string("*.example.com"),
        std::string("xn--a-b.c"), label, longest, longest + "."})
    EXPECT_EQ(reason_of(dns_name(good)), "") << good;
  for (const auto& bad :
       {std::string(), std::string("."), std::string("*"), std::string("*."), std::string("a..b"),
        std::string(".a"), std::string("-a.b"), std::string("a-.b"), std::string("a_b.c"),
        std::string("a.*.b"), std::string("*.*.b"), std::string("a b"), std::string("a\nb"),
        std::string("é.com"), std::string("a.."), label + "a", longest + "a", "*." + longest})
    EXPECT_EQ(reason_of(dns_name(bad)), "InvalidDNSName") << bad;
}

TEST(validate, judges_ports) {
  EXPECT_EQ(reason_of(ports({{1, "TCP"}, {1, "UDP"}, {65535, "TCP"}})), "");
  EXPECT_EQ(reason_of(ports({})), "NoPorts");
  for (const std::int64_t bad :
       {std::int64_t{0}, std::int64_t{-1}, std::int64_t{65536}, INT64_MIN, INT64_MAX})
    EXPECT_EQ(reason_of(ports({{bad, "TCP"}})), "InvalidPort") << bad;
  EXPECT_EQ(reason_of(ports({{443, "TCP"}, {80, "TCP"}, {443, "TCP"}})), "DuplicatePort");
  for (const auto* bad : {"tcp", "SCTP", ""})
    EXPECT_EQ(reason_of(ports({{443, bad}})), "InvalidProtocol") << bad;
}

TEST(validate, judges_the_name_by_what_is_made_of_it) {
  const auto named = [](const std::string& name, std::int64_t port = 443) {
    return reason_of(ports({{port, "TCP"}}), gateway_profile::hardened, name);
  };
  for (const auto* good : {"y", "null", "a-1", "x0"}) EXPECT_EQ(named(good), "") << good;
  for (const auto* bad : {"1a", "a.b", "A", "a-", "-a", "a_b", ""})
    EXPECT_EQ(named(bad), "InvalidName") << bad;
  EXPECT_EQ(named(std::string(64, 'a')), "InvalidName");
  EXPECT_EQ(named(std::string(55, 'a')), "");  // allowed-NAME has 63
  EXPECT_EQ(named(std::string(56, 'a')), "NameTooLong");
  EXPECT_EQ(named(std::string(53, 'a'), 65535), "");  // NAME-tcp-65535 has 63
  EXPECT_EQ(named(std::string(54, 'a'), 65535), "NameTooLong");
}

TEST(validate, judges_numbers) {
  using spec = external_service_spec;
  const std::array<std::tuple<member, std::int64_t, std::string>, 3> kinds{
      {{&spec::min_replicas, INT32_MAX, "InvalidReplicas"},
       {&spec::max_replicas, INT32_MAX, "InvalidReplicas"},
       {&spec::target_cpu_utilization_percentage, INT32_MAX, "InvalidReplicas"}}};
  for (const auto& [field, most, reason] : kinds) {
    EXPECT_EQ(reason_of(number(field, 1)), "");
    EXPECT_EQ(reason_of(number(field, most)), "");
    for (const std::int64_t bad : {std::int64_t{0}, std::int64_t{-1}, most + 1})
      EXPECT_EQ(reason_of(number(field, bad)), reason);
  }
  EXPECT_EQ(reason_of(number(&spec::envoy_cluster_max_connections, UINT32_MAX)), "");
  EXPECT_EQ(reason_of(number(&spec::envoy_cluster_max_connections, 0)), "InvalidMaxConnections");
  EXPECT_EQ(reason_of(number(&spec::envoy_cluster_max_connections, 4294967296)), "InvalidMaxConnections");
  EXPECT_EQ(reason_of(number(&spec::envoy_dns_refresh_rate_s, 1)), "");
  EXPECT_EQ(reason_of(number(&spec::envoy_dns_refresh_rate_s, 0)), "InvalidRefreshRate");
  EXPECT_EQ(reason_of(number(&spec::envoy_dns_refresh_rate_s, 9'223'372'036)), "InvalidRefreshRate");
}

TEST(validate, refuses_more_replicas_at_least_than_at_most) {
  const auto both = [](std::int64_t min, std::int64_t max) {
    return reason_of([=](auto& spec) {
      spec.min_replicas = min;
      spec.max_replicas = max;
    });
  };
  EXPECT_EQ(both(5, 5), "");
  EXPECT_EQ(both(6, 5), "InvalidReplicas");
}

TEST(validate, judges_resources) {
  EXPECT_EQ(reason_of(amounts({}, {})), "");
  EXPECT_EQ(reason_of(amounts({{"cpu", "1"}, {"memory", "1Gi"}}, {{"cpu", "1000m"}, {"memory", "1024Mi"}})),
            "");
  EXPECT_EQ(reason_of(amounts({{"cpu", "1001m"}}, {{"cpu", "1"}})), "InvalidResources");
  EXPECT_EQ(reason_of(amounts({{"cpu", "-1"}}, {})), "InvalidResources");
  EXPECT_EQ(reason_of(amounts({}, {{"memory", "lots"}})), "InvalidResources");
  EXPECT_EQ(reason_of(amounts({}, {{"memory", ""}})), "InvalidResources");
  EXPECT_EQ(reason_of(amounts({{"speed", "1"}}, {})), "InvalidResources");
  EXPECT_EQ(reason_of(amounts({{"example.com/gpu", "1"}}, {{"example.com/gpu", "1"}})), "");
  EXPECT_EQ(reason_of(amounts({{"example.com/gpu", "1"}}, {})), "InvalidResources");
  EXPECT_EQ(reason_of(amounts({{"example.com/gpu", "1"}}, {{"example.com/gpu", "2"}})), "InvalidResources");
  EXPECT_EQ(reason_of([](auto& spec) {
              spec.resources = kube::resource_requirements{.requests = {}, .limits = {}, .claims = true};
            }),
            "InvalidResources");
}

TEST(validate, judges_addresses_and_ranges) {
  const auto overridden = [](const std::string& address) {
    return reason_of([=](auto& spec) { spec.ip_override = {"192.0.2.1", address}; });
  };
  for (const auto* good : {"10.0.0.1", "::", "fe80::", "1:2:3:4:5:6:7:8", "::ffff:1.2.3.4"})
    EXPECT_EQ(overridden(good), "");
  for (const auto* bad :
       {"", "1.2.3", "1.2.3.256", "01.2.3.4", "host", "1::2::3", "fe80::1%eth0", "1.2.3.4/32", " 1.2.3.4"})
    EXPECT_EQ(overridden(bad), "InvalidIPOverride") << bad;
  EXPECT_EQ(overridden(std::string("1.2.3.4\0x", 9)), "InvalidIPOverride");
  const auto endpoints = [](std::size_t ports, std::size_t addresses) {
    return reason_of([=](auto& spec) {
      spec.ports.clear();
      for (std::size_t i = 0; i < ports; ++i)
        spec.ports.push_back({static_cast<std::int64_t>(1000 + i), "TCP"});
      spec.ip_override.assign(addresses, "192.0.2.1");
    });
  };
  EXPECT_EQ(endpoints(256, 16), "");
  EXPECT_EQ(endpoints(16, 256), "");
  EXPECT_EQ(endpoints(256, 17), "InvalidIPOverride");
  EXPECT_EQ(endpoints(1, 1024), "");
  EXPECT_EQ(endpoints(1024, 4), "");
  EXPECT_EQ(endpoints(1, 1025), "InvalidIPOverride");
  EXPECT_EQ(endpoints(1025, 0), "InvalidPort");
  const auto many_clients = [](std::size_t count) {
    return reason_of([=](auto& spec) { spec.dns_clients.assign(count, "10.0.0.0/8"); });
  };
  EXPECT_EQ(many_clients(1024), "");
  EXPECT_EQ(many_clients(1025), "InvalidDNSClients");
  const auto clients = [](const std::string& range) {
    return reason_of([=](auto& spec) { spec.dns_clients = {range}; });
  };
  for (const auto* good : {"10.0.0.0/8", "0.0.0.0/0", "fd00::/8", "::/0", "::1/128"})
    EXPECT_EQ(clients(good), "");
  for (const auto* bad :
       {"", "10.0.0.0", "10.0.0.0/33", "::/129", "10.0.0.0/", "10.0.0.0/-1", "/8", "a/8", "1.2.3.4/8x"})
    EXPECT_EQ(clients(bad), "InvalidDNSClients") << bad;
}

TEST(validate, judges_choices) {
  for (const auto* good : {"", "Off", "Enforce"})
    EXPECT_EQ(reason_of([=](auto& spec) { spec.tls_sni = good; }), "");
  EXPECT_EQ(reason_of([](auto& spec) { spec.tls_sni = "enforce"; }), "InvalidTLS");
  for (const auto* good : {"", "Restart", "Reload"})
    EXPECT_EQ(reason_of([=](auto& spec) { spec.config_delivery = good; }), "");
  EXPECT_EQ(reason_of([](auto& spec) { spec.config_delivery = "Push"; }), "InvalidConfigDelivery");
}

TEST(validate, takes_wildcards_for_tls_over_tcp_in_hardened_only) {
  const auto wild = [](const change& edit, gateway_profile profile = gateway_profile::hardened) {
    return reason_of(
        [&](auto& spec) {
          spec.dns_name = "*.example.com";
          edit(spec);
        },
        profile);
  };
  EXPECT_EQ(wild([](auto&) {}), "");
  EXPECT_EQ(wild([](auto&) {}, gateway_profile::compatible), "WildcardUnsupported");
  EXPECT_EQ(wild(ports({{443, "TCP"}, {443, "UDP"}})), "WildcardUnsupported");
  EXPECT_EQ(wild([](auto& spec) { spec.ip_override = {"192.0.2.1"}; }), "WildcardUnsupported");
}

TEST(validate, passes_on_why_a_spec_could_not_be_read) {
  auto made = samples::external_service();
  auto undecodable = made.as_external_service();
  undecodable.undecodable = "spec.ports: a string where a list belongs";
  made.body = std::move(undecodable);
  EXPECT_EQ(validate(made), (refusal{"Undecodable", "spec.ports: a string where a list belongs"}));
}

TEST(notices, name_own_fields_and_udp_in_the_compatible_profile) {
  auto spec = samples::external_service().as_external_service().spec;
  EXPECT_TRUE(notices(spec, gateway_profile::compatible).empty());
  spec.tls_sni = "Enforce";
  spec.ports.push_back({53, "UDP"});
  const auto told = notices(spec, gateway_profile::compatible);
  ASSERT_EQ(told.size(), 2U);
  EXPECT_EQ(told[0].reason, "FieldsWithoutEffect");
  EXPECT_NE(told[0].message.find("spec.tls.sni"), std::string::npos);
  EXPECT_EQ(told[1].reason, "EnvoyRejectsUDP");
  const auto hardened = notices(spec, gateway_profile::hardened);
  ASSERT_EQ(hardened.size(), 1U);
  EXPECT_EQ(hardened[0].reason, "SNINotChecked");
  spec.ports.pop_back();
  EXPECT_TRUE(notices(spec, gateway_profile::hardened).empty());
}

TEST(notices, name_udp_overrides_that_nothing_checks) {
  auto spec = samples::external_service().as_external_service().spec;
  spec.ip_override = {"192.0.2.1"};
  spec.ports = {{53, "UDP"}, {53, "TCP"}};
  EXPECT_TRUE(notices(spec, gateway_profile::hardened).empty());
  spec.ports = {{53, "UDP"}};
  ASSERT_EQ(notices(spec, gateway_profile::hardened).size(), 1U);
  EXPECT_EQ(notices(spec, gateway_profile::hardened)[0].reason, "OverrideNotChecked");
}

TEST(notices, name_resources_that_leave_an_autoscaler_without_a_measure) {
  auto spec = samples::external_service().as_external_service().spec;
  spec.resources.reset();
  EXPECT_TRUE(notices(spec, gateway_profile::hardened).empty());
  spec.resources =
      kube::resource_requirements{.requests = {{"memory", "256Mi"}}, .limits = {{"memory", "1Gi"}}};
  for (const auto profile : {gateway_profile::hardened, gateway_profile::compatible}) {
    ASSERT_EQ(notices(spec, profile).size(), 1U);
    EXPECT_EQ(notices(spec, profile)[0].reason, "AutoscalerWithoutCPU");
  }
  spec.resources->limits["cpu"] = "1";
  EXPECT_TRUE(notices(spec, gateway_profile::hardened).empty()) << "Kubernetes asks for as much as the limit";
  spec.resources->limits.erase("cpu");
  spec.resources->requests["cpu"] = "100m";
  EXPECT_TRUE(notices(spec, gateway_profile::hardened).empty());
}

TEST(replica_bounds, let_a_default_give_way_to_the_one_that_is_set) {
  external_service_spec spec;
  const auto of = [&](std::optional<std::int64_t> min, std::optional<std::int64_t> max) {
    spec.min_replicas = min;
    spec.max_replicas = max;
    const auto made = replica_bounds(spec);
    return std::pair{made.min, made.max};
  };
  EXPECT_EQ(of({}, {}), std::pair(3L, 12L));
  EXPECT_EQ(of(20, {}), std::pair(20L, 20L));
  EXPECT_EQ(of({}, 2), std::pair(2L, 2L));
  EXPECT_EQ(of({}, 30), std::pair(3L, 30L));
  EXPECT_EQ(of(1, 2), std::pair(1L, 2L));
}

}  // namespace
}  // namespace egress::reconciler
