// The children where settings or the profile change them, and what is done to them before they are written.

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

#include "actors/reconciler/desired/gateway.hpp"
#include "actors/reconciler/desired/hijack_state.hpp"
#include "actors/reconciler/desired/server_defaults.hpp"
#include "tests/unit/render/samples.hpp"

namespace egress::desired {
namespace {

json::value parsed(std::string_view text) {
  return boost::json::parse(text);
}

json::object child(kube::kind of, const gateway_settings& settings,
                   const kube::object& from = samples::external_service()) {
  return render_child(of, make_gateway(from, settings), "false");
}

TEST(hijack_state, follows_its_table) {
  for (const auto* now : {"", "false", "waiting-for-pods", "true", "maybe"}) {
    EXPECT_EQ(next_hijack_label(false, false, now), "false");
    EXPECT_EQ(next_hijack_label(false, true, now), "false");
    EXPECT_EQ(next_hijack_label(true, true, now), "true");
    EXPECT_EQ(next_hijack_label(true, false, now),
              now == std::string_view("true") ? "true" : "waiting-for-pods");
  }
}

TEST(children, have_no_owner_without_a_uid) {
  auto from = samples::external_service();
  EXPECT_FALSE(child(kube::kind::service, {}, from)["metadata"].as_object().contains("ownerReferences"));
  from.meta.uid = "u1";
  EXPECT_EQ(samples::at(child(kube::kind::service, {}, from), "/metadata/ownerReferences/0/uid"), "u1");
}

TEST(children, carry_the_topology_mode_where_it_is_switched_on) {
  gateway_settings settings;
  settings.service_topology_mode = true;
  auto from = samples::external_service();
  constexpr auto key = "service.kubernetes.io/topology-mode";
  const auto mode = [&] {
    return child(kube::kind::service, settings, from).at("metadata").at("annotations").at(key);
  };
  EXPECT_EQ(mode(), "Auto");
  samples::change_spec(from, [](auto& spec) { spec.service_topology_mode = "Disabled"; });
  EXPECT_EQ(mode(), "Disabled");
  EXPECT_EQ(child(kube::kind::deployment, settings, from)
                .at("spec")
                .at("template")
                .at("metadata")
                .at("annotations")
                .at(key),
            "Disabled");
}

TEST(deployment, is_placed_as_the_settings_say) {
  gateway_settings settings;
  settings.image = "registry.example/envoy:1";
  settings.toleration = {"dedicated", "egress"};
  settings.node_selector = {"pool", "edge"};
  settings.topology_spreads = {{2, "topology.kubernetes.io/zone", "DoNotSchedule"}};
  const auto pod = child(kube::kind::deployment, settings).at("spec").at("template").at("spec");
  EXPECT_EQ(pod.at("containers").at(0).at("image"), "registry.example/envoy:1");
  EXPECT_EQ(pod.at("tolerations"), parsed(R"([{"key":"dedicated","value":"egress","effect":"NoSchedule"}])"));
  EXPECT_EQ(pod.at("nodeSelector"), parsed(R"({"pool":"edge"})"));
  EXPECT_EQ(
      pod.at("topologySpreadConstraints"),
      parsed(R"([{"maxSkew":2,"topologyKey":"topology.kubernetes.io/zone","whenUnsatisfiable":"DoNotSchedule",
                        "labelSelector":{"matchLabels":{"egress.monzo.com/gateway":"api"}}}])"));
}

TEST(deployment, of_hardened_gateways_has_their_image_memory_and_threads) {
  const auto container = child(kube::kind::deployment, samples::hardened())
                             .at("spec")
                             .at("template")
                             .at("spec")
                             .at("containers")
                             .at(0);
  EXPECT_EQ(container.at("image"), "envoyproxy/envoy:v1.40.0");
  EXPECT_EQ(container.at("resources").at("requests").at("memory"), "96Mi");
  EXPECT_EQ(container.at("args"), parsed(R"(["-c","/etc/envoy/envoy.yaml","--concurrency","2"])"));
}

TEST(deployment, of_hardened_gateways_may_do_as_little_as_possible) {
  auto from = samples::external_service();
  const auto spec = [&] { return child(kube::kind::deployment, {}, from).at("spec").as_object(); };
  const auto pod = [&] { return samples::at(spec(), "/template/spec").as_object(); };
  EXPECT_EQ(pod().at("securityContext"), parsed(R"({"runAsNonRoot":true,"runAsUser":101,"runAsGroup":101,
      "seccompProfile":{"type":"RuntimeDefault"},
      "sysctls":[{"name":"net.ipv4.ip_unprivileged_port_start","value":"0"}]})"));
  EXPECT_EQ(
      pod().at("containers").at(0).at("securityContext"),
      parsed(
          R"({"allowPrivilegeEscalation":false,"readOnlyRootFilesystem":true,"capabilities":{"drop":["ALL"]}})"));
  EXPECT_EQ(pod().at("automountServiceAccountToken"), false);
  EXPECT_EQ(pod().at("enableServiceLinks"), false);
  EXPECT_FALSE(pod().at("containers").at(0).as_object().contains("livenessProbe"))
      << "none that kills under load";
  EXPECT_FALSE(pod().at("containers").at(0).as_object().contains("env"));
  EXPECT_EQ(spec().at("minReadySeconds"), 5);
  samples::change_spec(from, [](auto& changed) { changed.ports = {{1024, "TCP"}}; });
  EXPECT_FALSE(pod().at("securityContext").as_object().contains("sysctls"));
}

TEST(deployment, of_hardened_gateways_is_spread_unless_the_settings_say_otherwise) {
  const auto spreads = [](const gateway_settings& settings) {
    return samples::at(child(kube::kind::deployment, settings), "/spec/template/spec")
        .at("topologySpreadConstraints");
  };
  const auto all = spreads({});
  ASSERT_EQ(all.as_array().size(), 2U);
  EXPECT_EQ(all.at(0).at("topologyKey"), "topology.kubernetes.io/zone");
  EXPECT_EQ(all.at(1).at("topologyKey"), "kubernetes.io/hostname");
  EXPECT_EQ(all.at(1).at("whenUnsatisfiable"), "ScheduleAnyway");
  gateway_settings own;
  own.topology_spreads = {{.max_skew = 3, .topology_key = "rack"}};
  EXPECT_EQ(spreads(own).as_array().size(), 1U);
  EXPECT_EQ(spreads(own).at(0).at("topologyKey"), "rack");
}

TEST(deployment, of_hardened_gateways_drains_as_long_as_the_settings_say) {
  for (auto settings : {samples::hardened(), samples::compatible()}) {
    const bool follows = settings.profile == gateway_profile::hardened;
    settings.drain_seconds = 90;
    const auto pod = samples::at(child(kube::kind::deployment, settings), "/spec/template/spec");
    EXPECT_EQ(pod.at("terminationGracePeriodSeconds"), follows ? 95 : 30);
    EXPECT_EQ(pod.at("containers").at(0).at("lifecycle").at("preStop").at("exec").at("command"),
              (json::array{"/bin/sleep", follows ? "90" : "25"}));
  }
}

TEST(deployment, rounds_threads_up_and_writes_quantities_as_the_server_does) {
  auto from = samples::external_service();
  samples::change_spec(from, [](auto& spec) {
    spec.envoy_log_level = "warn";
    spec.resources = {{.requests = {}, .limits = {{"cpu", "1500m"}, {"memory", "1024Mi"}}}};
  });
  auto container =
      child(kube::kind::deployment, {}, from).at("spec").at("template").at("spec").at("containers").at(0);
  EXPECT_EQ(container.at("args"),
            parsed(R"(["-c","/etc/envoy/envoy.yaml","--log-level","warn","--concurrency","2"])"));
  EXPECT_EQ(container.at("resources"), parsed(R"({"limits":{"cpu":"1500m","memory":"1Gi"}})"));
  samples::change_spec(from, [](auto& spec) {
    spec.envoy_log_level = "loud";
    spec.resources = kube::resource_requirements{};
  });
  container =
      child(kube::kind::deployment, {}, from).at("spec").at("template").at("spec").at("containers").at(0);
  EXPECT_EQ(container.at("args"), parsed(R"(["-c","/etc/envoy/envoy.yaml"])"));
}

TEST(service, of_hardened_gateways_prefers_both_families) {
  EXPECT_EQ(child(kube::kind::service, samples::hardened()).at("spec").at("ipFamilyPolicy"),
            "PreferDualStack");
  EXPECT_FALSE(
      child(kube::kind::service, samples::compatible())["spec"].as_object().contains("ipFamilyPolicy"));
}

TEST(network_policy, of_hardened_gateways_admits_both_labels_and_scrapers) {
  auto settings = samples::hardened();
  settings.metrics_from = "app=prometheus,tier=infra";
  const auto ingress = child(kube::kind::network_policy, settings).at("spec").at("ingress");
  EXPECT_EQ(ingress, parsed(R"([
    {"ports":[{"protocol":"TCP","port":443}],
     "from":[{"namespaceSelector":{},"podSelector":{"matchLabels":{"egress.monzo.com/allowed-api":"true"}}},
             {"namespaceSelector":{},"podSelector":{"matchLabels":{"egress.monzo.com/allowed-gateway":"api"}}}]},
    {"ports":[{"protocol":"TCP","port":11000}],
     "from":[{"namespaceSelector":{},"podSelector":{"matchLabels":{"app":"prometheus","tier":"infra"}}}]}])"));
}

TEST(server_defaults, add_the_traffic_policy_and_change_nothing_twice) {
  for (const auto& settings : {samples::compatible(), samples::hardened()})
    for (const auto kind : kube::child_kinds) {
      const auto rendered = child(kind, settings);
      const auto written = with_server_defaults(kind, rendered);
      EXPECT_EQ(with_server_defaults(kind, written), written);
      if (kind != kube::kind::service) EXPECT_EQ(written, rendered) << "rendered in full already";
    }
  EXPECT_EQ(samples::at(with_server_defaults(kube::kind::service, child(kube::kind::service, {})),
                        "/spec/internalTrafficPolicy"),
            "Cluster");
}

TEST(server_defaults, fill_what_a_bare_object_lacks) {
  const auto bare = parsed(R"({"spec":{"template":{"spec":{"containers":[
      {"ports":[{"containerPort":1}],"readinessProbe":{"httpGet":{"port":1}}}],"volumes":[{"configMap":{}}]}}}})");
  const auto filled = with_server_defaults(kube::kind::deployment, bare.as_object());
  EXPECT_EQ(samples::at(filled, "/spec/template/spec/containers/0/ports/0/protocol"), "TCP");
  EXPECT_EQ(samples::at(filled, "/spec/template/spec/containers/0/readinessProbe/httpGet/scheme"), "HTTP");
  EXPECT_EQ(samples::at(filled, "/spec/template/spec/volumes/0/configMap/defaultMode"), 420);
  const auto service =
      with_server_defaults(kube::kind::service, parsed(R"({"spec":{"ports":[{"port":7}]}})").as_object());
  EXPECT_EQ(samples::at(service, "/spec/ports/0/targetPort"), 7);
}

TEST(for_creation, sets_replicas_of_deployments_only) {
  EXPECT_EQ(samples::at(for_creation(kube::kind::deployment, child(kube::kind::deployment, {}), 5),
                        "/spec/replicas"),
            5);
  const auto service_child = child(kube::kind::service, {});
  EXPECT_EQ(for_creation(kube::kind::service, service_child, 5), service_child);
}

TEST(render_child, is_for_children_only) {
  EXPECT_THROW(child(kube::kind::lease, {}), std::logic_error);
}

}  // namespace
}  // namespace egress::desired
