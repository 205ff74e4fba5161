#include "runtime/kube/decode.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/unit/kube/support.hpp"

namespace egress::kube {
namespace {

object_ptr decoded(kind of, std::string_view json) {
  decoder subject{projection_rules{.ip_family_policy = false}};
  auto out = subject.decode(of, json);
  if (!out) throw std::runtime_error(out.error().message);
  return *out;
}

external_service service_with(std::string_view spec) {
  return decoded(kind::external_service, R"({"metadata":{"name":"x"},"spec":)" + std::string(spec) + "}")
      ->as_external_service();
}

json::object served(std::string_view name, kind of) {
  return test::as_served(test::golden(name).at(info(of).name).as_object());
}

TEST(decode, reads_all_of_a_spec) {
  const auto read =
      service_with(R"({"dnsName":"a.example","ports":[{"port":443},{"port":53,"protocol":"UDP"}],
    "hijackDns":true,"minReplicas":1,"maxReplicas":9,"targetCPUUtilizationPercentage":70,
    "resources":{"requests":{"cpu":0.5,"memory":"1Gi"},"limits":{"cpu":2},"claims":[{"name":"gpu"}]},
    "ipOverride":["fe80::","1.2.3.4"],"envoyClusterMaxConnections":4294967295,"envoyLogLevel":"debug",
    "envoyDnsRefreshRateS":5,"envoyRespectDnsTTL":false,"serviceTopologyMode":"Auto",
    "envoyJsonAdminAccessLogs":true,"envoyJsonClusterAccessLogs":true,"tls":{"sni":"Enforce"},
    "configDelivery":"Reload","allowPrivate":true,"dnsClients":["10.0.0.0/8"]})");
  EXPECT_EQ(read.undecodable, "");
  external_service_spec wanted{
      .dns_name = "a.example",
      .ports = {{443, "TCP"}, {53, "UDP"}},
      .hijack_dns = true,
      .min_replicas = 1,
      .max_replicas = 9,
      .target_cpu_utilization_percentage = 70,
      .resources = resource_requirements{{{"cpu", "0.5"}, {"memory", "1Gi"}}, {{"cpu", "2"}}, true},
      .ip_override = {"fe80::", "1.2.3.4"},
      .envoy_cluster_max_connections = 4294967295,
      .envoy_log_level = "debug",
      .envoy_dns_refresh_rate_s = 5,
      .envoy_respect_dns_ttl = false,
      .service_topology_mode = "Auto",
      .envoy_json_admin_access_logs = true,
      .envoy_json_cluster_access_logs = true,
      .tls_sni = "Enforce",
      .config_delivery = "Reload",
      .allow_private = true,
      .dns_clients = {"10.0.0.0/8"}};
  EXPECT_TRUE(read.spec == wanted);
}

TEST(decode, the_json_of_the_last_changed_children_is_kept_a_while) {
  decoder subject{projection_rules{}};
  const std::string object = R"({"metadata":{"name":"a","resourceVersion":"7"},"data":{"x":"}}"}})";
  const auto event = [&](std::string_view type, kind of = kind::config_map) {
    const auto line = fmt::format("{{\"type\":\"{}\",\"object\":{}}}\n", type, object);
    return subject.decode_watch_line(of, line).value().object;
  };
  const auto changed = event("MODIFIED");
  ASSERT_TRUE(changed->recent_json.lock());
  EXPECT_EQ(*changed->recent_json.lock(), object);
  EXPECT_FALSE(event("ADDED")->recent_json.lock());
  EXPECT_FALSE(event("MODIFIED", kind::external_service)->recent_json.lock());
  for (int i = 0; i < 15; ++i) event("MODIFIED");
  EXPECT_TRUE(changed->recent_json.lock());
  event("MODIFIED");
  EXPECT_FALSE(changed->recent_json.lock());
  const auto other = R"({"object":)" + object + R"(,"type":"MODIFIED"})";
  EXPECT_FALSE(subject.decode_watch_line(kind::config_map, other).value().object->recent_json.lock());
}

TEST(decode, of_metadata_alone_reads_what_stands_there) {
  decoder subject{projection_rules{}};
  const auto read = subject.decode_metadata(kind::deployment, R"({"kind":"PartialObjectMetadata","metadata":{
    "name":"a","uid":"u","resourceVersion":"7","generation":1,"labels":{"egress.monzo.com/gateway":"a"},
    "ownerReferences":[{"controller":true,"kind":"ExternalService","name":"a","uid":"o"}]}})");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ((*read)->meta.resource_version, "7");
  EXPECT_TRUE((*read)->as_child().our_label);
  ASSERT_TRUE((*read)->as_child().controller);
  EXPECT_EQ((*read)->as_child().controller->uid, "o");
  EXPECT_FALSE((*read)->as_child().ours_cannot_be) << "its selector was not asked for";
  const auto labelled = [&](const std::string& gateway) {
    const auto text =
        R"({"metadata":{"name":"a","labels":{"egress.monzo.com/gateway":")" + gateway + R"("}}})";
    return (*subject.decode_metadata(kind::service, text))->as_child().our_label;
  };
  EXPECT_TRUE(labelled("a"));
  EXPECT_FALSE(labelled("somebody-else"));
  EXPECT_FALSE(labelled(""));
  EXPECT_FALSE(subject.decode_metadata(kind::deployment, R"({"metadata":{}})"));
  EXPECT_TRUE(subject.decode_metadata(kind::external_service, R"({"metadata":{"name":"a"}})"));
}

TEST(decode, everything_in_a_spec_is_optional) {
  EXPECT_TRUE(service_with("{}").spec == external_service_spec{});
  EXPECT_TRUE(service_with("null").spec == external_service_spec{});
  const auto nulls =
      service_with(R"({"dnsName":null,"ports":null,"resources":null,"tls":null,"minReplicas":null})");
  EXPECT_EQ(nulls.undecodable, "");
  EXPECT_TRUE(nulls.spec == external_service_spec{});
}

TEST(decode, names_the_path_of_a_wrong_type_and_goes_on) {
  struct row {
    std::string_view spec, wrong;
  };
  for (const auto& [spec, wrong] :
       {row{R"({"ports":[{"port":"x"}],"dnsName":"kept"})",
            "spec.ports[0].port: a string where an integer belongs"},
        row{R"({"ports":[{"port":1},7],"dnsName":"kept"})",
            "spec.ports[1]: a number where an object belongs"},
        row{R"({"ports":{},"dnsName":"kept"})", "spec.ports: an object where a list belongs"},
        row{R"({"hijackDns":"yes","dnsName":"kept"})", "spec.hijackDns: a string where a boolean belongs"},
        row{R"({"ipOverride":["a",1],"dnsName":"kept"})",
            "spec.ipOverride[1]: a number where a string belongs"},
        row{R"({"minReplicas":1.5,"dnsName":"kept"})",
            "spec.minReplicas: a number with a fraction where an integer belongs"},
        row{R"({"maxReplicas":18446744073709551615,"dnsName":"kept"})",
            "spec.maxReplicas: an integer that is too large"},
        row{R"({"resources":{"limits":{"cpu":true}},"dnsName":"kept"})",
            "spec.resources.limits.cpu: a boolean where a quantity belongs"},
        row{R"({"tls":3,"dnsName":"kept"})", "spec.tls: a number where an object belongs"}}) {
    const auto read = service_with(spec);
    EXPECT_EQ(read.undecodable, wrong);
    EXPECT_EQ(read.spec.dns_name, "kept");
  }
  EXPECT_EQ(service_with("[]").undecodable, "spec: a list where an object belongs");
  EXPECT_EQ(service_with(R"({"minReplicas":1e3})").spec.min_replicas, 1000);
}

TEST(decode, reads_metadata_and_status) {
  const auto read =
      decoded(kind::external_service, R"({"metadata":{"name":"x","uid":"u","resourceVersion":"7",
    "generation":4,"creationTimestamp":"1970-01-01T00:01:00Z","deletionTimestamp":"2026-01-01T00:00:00Z"},
    "status":{"observedGeneration":3,"clusterIP":"1.2.3.4","readyReplicas":2,"configHash":"ab","ports":"1/TCP",
    "conditions":[{"type":"Ready","status":"True","reason":"R","message":"m","lastTransitionTime":"t",
    "observedGeneration":3},5]}})");
  EXPECT_EQ(read->meta.uid, "u");
  EXPECT_EQ(read->meta.resource_version, "7");
  EXPECT_EQ(read->meta.generation, 4);
  EXPECT_EQ(read->meta.creation_time, 60);
  EXPECT_TRUE(read->meta.deleting);
  const auto& status = read->as_external_service().status;
  EXPECT_EQ(status.cluster_ip, "1.2.3.4");
  EXPECT_EQ(status.conditions.all().at(0), (condition{"Ready", "True", "R", "m", "t", 3}));
}

TEST(decode, a_creation_time_out_of_range_is_none) {
  for (const std::string_view when : {"0026-01-02T15:04:05Z", "9999-12-31T23:59:59Z", "soon", ""}) {
    const auto text = R"({"metadata":{"name":"x","creationTimestamp":")" + std::string(when) + R"("}})";
    EXPECT_EQ(decoded(kind::external_service, text)->meta.creation_time, 0) << when;
  }
}

TEST(decode, a_childs_digest_is_that_of_its_projection) {
  const projection_rules rules{.ip_family_policy = false};
  for (const auto name : test::golden_names)
    for (const auto of : child_kinds) {
      const auto rendered = test::golden(name).at(info(of).name).as_object();
      const auto read = decoded(of, json::to_text(served(name, of)));
      EXPECT_EQ(read->as_child().projected, projected_digest(of, rendered, rules)) << name;
      EXPECT_TRUE(read->as_child().our_label);
      ASSERT_TRUE(read->as_child().controller);
      EXPECT_EQ(read->as_child().controller->kind, "ExternalService");
      EXPECT_TRUE(read->as_child().controller->block_owner_deletion);
      EXPECT_FALSE(read->as_child().ours_cannot_be) << info(of).name;
    }
}

// Every value of it, spoilt in some way, one after the other.
void spoil_each(json::value& in, const std::function<void()>& look) {
  if (auto* members = in.if_object())
    for (auto& member : *members) spoil_each(member.value(), look);
  if (auto* items = in.if_array())
    for (auto& item : *items) spoil_each(item, look);
  for (const json::value& other : std::initializer_list<json::value>{nullptr, "", "1024Mi", 1024, -1, 0.5,
                                                                     true, json::array{}, json::object{}}) {
    auto kept = std::exchange(in, other);
    look();
    in = std::move(kept);
  }
}

TEST(decode, a_childs_digest_is_that_of_its_tree_whatever_is_in_it) {
  const projection_rules rules{.ip_family_policy = false, .topology_mode = true};
  int looked = 0;
  for (const auto of : child_kinds) {
    json::value object = served("udp-and-tcp", of);
    for (const auto* part :
         {"/spec", "/data", "/metadata/labels", "/metadata/annotations", "/metadata/ownerReferences"}) {
      boost::system::error_code missing;
      auto* at = object.find_pointer(part, missing);
      if (!at) continue;
      spoil_each(*at, [&] {
        const auto read = decoder(rules).decode(of, json::to_text(object));
        ASSERT_TRUE(read) << json::to_text(object);
        ASSERT_EQ((*read)->as_child().projected, projected_digest(of, object.as_object(), rules))
            << json::to_text(object);
        ++looked;
      });
    }
  }
  EXPECT_GT(looked, 1000);
}

TEST(decode, reads_what_decisions_about_a_deployment_need) {
  auto object = served("minimal", kind::deployment);
  object.at("spec").as_object()["replicas"] = 5;
  const auto read = decoded(kind::deployment, json::to_text(object))->as_child();
  EXPECT_EQ(read.replicas, 5);
  EXPECT_EQ(read.ready_replicas, 2);
  EXPECT_EQ(read.observed_generation, 3);
  object.at("spec").at("selector").at("matchLabels").as_object()["app"] = "egress-gateway";
  EXPECT_TRUE(decoded(kind::deployment, json::to_text(object))->as_child().ours_cannot_be);
}

TEST(decode, reads_what_decisions_about_a_service_need) {
  auto object = served("minimal", kind::service);
  auto& spec = object.at("spec").as_object();
  spec["clusterIP"] = "10.0.0.1";
  EXPECT_EQ(decoded(kind::service, json::to_text(object))->as_child().cluster_ips,
            std::vector<std::string>{"10.0.0.1"});
  spec["clusterIPs"] = json::array{"10.0.0.1", "fd00::1"};
  const auto read = decoded(kind::service, json::to_text(object))->as_child();
  EXPECT_EQ(read.cluster_ips, (std::vector<std::string>{"10.0.0.1", "fd00::1"}));
  EXPECT_FALSE(read.hijack_label.empty());
  EXPECT_FALSE(read.dns_name.empty());
  spec["clusterIP"] = "None";
  spec["clusterIPs"] = json::array{"None"};
  const auto headless = decoded(kind::service, json::to_text(object))->as_child();
  EXPECT_TRUE(headless.ours_cannot_be);
  EXPECT_TRUE(headless.cluster_ips.empty());
}

TEST(decode, reads_that_a_config_map_is_immutable) {
  auto object = served("minimal", kind::config_map);
  EXPECT_FALSE(decoded(kind::config_map, json::to_text(object))->as_child().immutable);
  object["immutable"] = true;
  EXPECT_TRUE(decoded(kind::config_map, json::to_text(object))->as_child().immutable);
}

TEST(decode, an_object_without_a_name_is_an_error) {
  decoder subject{projection_rules{}};
  for (const std::string_view text : {"", "{", "[]", "{}", R"({"metadata":[]})", R"({"metadata":{"name":5}})",
                                      R"({"metadata":{"name":""}})", R"({"metadata":{"name":null}})"})
    for (const auto of : watched_kinds) EXPECT_FALSE(subject.decode(of, text)) << text;
  EXPECT_EQ(subject.decode(kind::lease, "{}").value(), nullptr);
  EXPECT_TRUE(subject.decode(kind::service, R"({"metadata":{"name":"still works"}})"));
}

TEST(decode, a_watch_event_of_a_kind_without_informer_brings_the_object_as_it_is) {
  decoder subject{projection_rules{}};
  const auto made = subject.decode_watch_line(
      kind::lease, R"({"type":"MODIFIED","object": {"metadata":{"resourceVersion":"7"},"spec":{"x":1}}})");
  ASSERT_TRUE(made);
  EXPECT_EQ(made->json, R"({"metadata":{"resourceVersion":"7"},"spec":{"x":1}})");
  EXPECT_EQ(made->object, nullptr);
  EXPECT_EQ(made->resource_version, "7");
}

TEST(decode, reads_watch_events) {
  decoder subject{projection_rules{}};
  const auto read = [&](std::string_view line) { return subject.decode_watch_line(kind::service, line); };
  const auto added = read(R"({"type":"ADDED","object":{"metadata":{"name":"a","resourceVersion":"5"}}})");
  ASSERT_TRUE(added);
  EXPECT_EQ(added->type, event_type::added);
  EXPECT_EQ(added->resource_version, "5");
  EXPECT_EQ(added->object->meta.name, "a");
  EXPECT_EQ(read(R"({"type":"DELETED","object":{"metadata":{"name":"a","resourceVersion":"6"}}})")->type,
            event_type::deleted);
  const auto mark = read(R"({"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"9",
    "annotations":{"k8s.io/initial-events-end":"true"}}}})");
  ASSERT_TRUE(mark);
  EXPECT_TRUE(mark->initial_events_end);
  EXPECT_EQ(mark->object, nullptr);
}

TEST(decode, an_error_event_is_the_servers_error) {
  decoder subject{projection_rules{}};
  const auto read = [&](std::string_view line) {
    return subject.decode_watch_line(kind::service, line).error();
  };
  const auto gone =
      read(R"({"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired","message":"old"}})");
  EXPECT_EQ(gone.code, api_errc::gone);
  EXPECT_EQ(gone.message, "old");
  EXPECT_EQ(read(R"({"type":"ERROR","object":{"code":429,"details":{"retryAfterSeconds":3}}})").retry_after,
            std::chrono::seconds(3));
  EXPECT_EQ(read(R"({"type":"ERROR"})").code, api_errc::server_error);
  for (const std::string_view line : {"", "x", "{}", R"({"type":"ADDED"})", R"({"type":"ADDED","object":{}})",
                                      R"({"type":"MOVED","object":{}})",
                                      R"({"type":"ADDED","object":{"metadata":{"resourceVersion":"1"}}})"})
    EXPECT_EQ(read(line).code, api_errc::malformed) << line;
}

}  // namespace
}  // namespace egress::kube
