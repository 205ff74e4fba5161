// configDelivery Reload: what of the specification is in the pods, and what in files that running gateways
// follow.

#include <gmock/gmock.h>

#include "actors/reconciler/desired/gateway.hpp"
#include "actors/reconciler/envoy/hardened.hpp"
#include "actors/reconciler/render.hpp"
#include "actors/reconciler/validate.hpp"
#include "runtime/kube/json_text.hpp"
#include "tests/unit/render/samples.hpp"

namespace egress::desired {
namespace {

using kube::external_service_spec;
using testing::HasSubstr;
using testing::Not;

external_service_spec reloading(std::vector<kube::service_port> ports = {{443, "TCP"}}) {
  auto spec = samples::external_service().as_external_service().spec;
  spec.config_delivery = "Reload";
  spec.ports = std::move(ports);
  return spec;
}

json::object child(kube::kind of, const external_service_spec& spec,
                   const gateway_settings& settings = samples::hardened()) {
  const auto from = samples::external_service("api", spec);
  return render_child(of, make_gateway(from, settings), "false");
}

json::value pods(const external_service_spec& spec, const gateway_settings& settings = samples::hardened()) {
  return samples::at(child(kube::kind::deployment, spec, settings), "/spec/template");
}

std::string text(const json::object& config_map, std::string_view name) {
  return std::string(config_map.at("data").at(name).as_string());
}

TEST(reload, pods_are_the_same_whatever_ports_names_and_addresses_are) {
  gateway_settings settings = samples::hardened();
  settings.service_topology_mode = true;
  const auto before = pods(reloading(), settings);
  auto other = reloading({{80, "TCP"}, {53, "UDP"}, {65535, "TCP"}});
  EXPECT_EQ(pods(other, settings), before);
  other.dns_name = "other.example.com";
  other.ip_override = {"192.0.2.1"};
  other.envoy_cluster_max_connections = 7;
  other.envoy_dns_refresh_rate_s = 9;
  other.envoy_respect_dns_ttl = false;
  other.envoy_json_cluster_access_logs = true;
  other.envoy_json_admin_access_logs = true;
  other.tls_sni = "Enforce";
  other.service_topology_mode = "Disabled";
  EXPECT_EQ(pods(other, settings), before);
  other.dns_name = "*.example.com";
  other.allow_private = true;
  EXPECT_EQ(pods(other, settings), before);
}

TEST(reload, pods_are_others_when_what_they_are_started_with_changes) {
  const auto before = pods(reloading());
  auto logs = reloading(), limits = reloading();
  logs.envoy_log_level = "debug";
  limits.resources = {.requests = {}, .limits = {{"memory", "2Gi"}}};
  for (const auto& other : {logs, limits}) EXPECT_NE(pods(other), before);
  auto longer = samples::hardened();
  longer.drain_seconds = 60;
  EXPECT_NE(pods(reloading(), longer), before);
}

TEST(reload, pods_drain_refuse_what_they_do_not_know_and_may_listen_below_1024) {
  auto settings = samples::hardened();
  settings.drain_seconds = 7;
  const auto made = pods(reloading({{8443, "TCP"}}), settings);
  const auto& container = made.at("spec").at("containers").at(0);
  EXPECT_THAT(json::to_text(container.at("args")),
              HasSubstr(R"("--drain-time-s","7","--reject-unknown-dynamic-fields")"));
  EXPECT_FALSE(container.as_object().contains("ports"));
  EXPECT_EQ(made.at("spec").at("securityContext").at("sysctls").at(0).at("value"), "0");
  EXPECT_EQ(container.at("readinessProbe").at("httpGet").at("port"), 11000);
  EXPECT_EQ(made.at("metadata").at("annotations").at("egress.monzo.com/admin-port"), "11000");
  EXPECT_FALSE(made.at("metadata").at("annotations").as_object().contains("egress.monzo.com/dns-name"));
}

TEST(reload, the_bootstrap_holds_nothing_that_may_change) {
  const auto one = child(kube::kind::config_map, reloading());
  auto spec = reloading({{80, "TCP"}});
  spec.dns_name = "other.example.com";
  const auto other = child(kube::kind::config_map, spec);
  EXPECT_EQ(text(one, "envoy.yaml"), text(other, "envoy.yaml"));
  EXPECT_THAT(text(one, "envoy.yaml"), Not(HasSubstr("443")));
  for (const auto* file : {"cds.yaml", "lds.yaml"}) {
    EXPECT_THAT(text(one, "envoy.yaml"), HasSubstr(std::string("path: /etc/envoy/") + file));
    EXPECT_NE(text(one, file), text(other, file));
  }
}

TEST(reload, files_are_as_they_were_looked_at) {
  auto spec = reloading({{443, "TCP"}, {53, "UDP"}});
  spec.ip_override = {"192.0.2.1"};
  const auto made = child(kube::kind::config_map, spec);
  for (const auto* file : {"envoy.yaml", "cds.yaml", "lds.yaml"})
    EXPECT_EQ(text(made, file), samples::file_text(std::string("tests/golden/hardened/reload/") + file));
}

TEST(reload, the_status_names_all_of_the_configuration_and_the_pods_their_part) {
  const auto settings = samples::hardened();
  const auto one = samples::external_service("api", reloading()),
             other = samples::external_service("api", reloading({{80, "TCP"}}));
  const auto before = make_gateway(one, settings).config, after = make_gateway(other, settings).config;
  EXPECT_EQ(before.hash, after.hash);
  EXPECT_NE(before.version, after.version);
  const auto restarting = samples::external_service("api");
  const auto plain = make_gateway(restarting, settings).config;
  EXPECT_EQ(plain.hash, plain.version);
  EXPECT_EQ(plain.clusters + plain.listeners, "");
}

// A running Envoy has one DNS cache of a name, with the settings it was made with.
TEST(reload, the_dns_cache_of_wildcards_has_another_name_with_other_settings) {
  auto spec = reloading();
  spec.dns_name = "*.example.com";
  const auto before = text(child(kube::kind::config_map, spec), "cds.yaml");
  EXPECT_THAT(before, HasSubstr("name: api_dns_0s\n"));
  spec.envoy_dns_refresh_rate_s = 9;
  EXPECT_THAT(text(child(kube::kind::config_map, spec), "lds.yaml"), HasSubstr("name: api_dns_9s\n"));
}

TEST(reload, the_operator_may_ask_and_nobody_else) {
  auto settings = samples::hardened();
  settings.metrics_from = "";
  const auto rules = samples::at(child(kube::kind::network_policy, reloading(), settings), "/spec/ingress");
  ASSERT_EQ(rules.as_array().size(), 2u);
  EXPECT_EQ(
      json::to_text(rules.at(1)),
      R"({"ports":[{"protocol":"TCP","port":11000}],"from":[{"podSelector":{"matchLabels":{"app":"egress-operator"}}}]})");
  EXPECT_THAT(text(child(kube::kind::config_map, reloading()), "lds.yaml"), HasSubstr("path: /listeners\n"));
}

TEST(reload, has_no_effect_in_compatible) {
  auto plain = reloading();
  plain.config_delivery = "";
  for (const auto kind : kube::child_kinds)
    EXPECT_EQ(child(kind, reloading(), samples::compatible()), child(kind, plain, samples::compatible()));
}

TEST(reload, keeps_the_port_of_readiness_free) {
  const auto reason = [](const external_service_spec& spec, gateway_profile profile) {
    const auto refused = reconciler::validate(samples::external_service("api", spec), profile);
    return refused ? refused->reason : "";
  };
  using enum gateway_profile;
  EXPECT_EQ(reason(reloading({{443, "TCP"}, {11000, "TCP"}}), hardened), "InvalidPort");
  EXPECT_EQ(reason(reloading({{11000, "UDP"}, {11001, "TCP"}}), hardened), "");
  EXPECT_EQ(reason(reloading({{11000, "TCP"}}), compatible), "");
  auto restarting = reloading({{11000, "TCP"}});
  restarting.config_delivery = "Restart";
  EXPECT_EQ(reason(restarting, hardened), "");
}

}  // namespace
}  // namespace egress::desired
