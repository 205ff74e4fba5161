// What happens to an object between the request that writes it and the store.

#include "tests/unit/devserver/api_client.hpp"

namespace egress::dev::test {
namespace {

const auto exsvc = std::string{external_services_path};

TEST(create, fills_in_what_is_the_servers) {
  api_client api;
  const auto made = api.post(config_maps_path, config_map("a"));
  ASSERT_EQ(made.status, 201) << made.message();
  EXPECT_EQ(text_at(made.body, {"apiVersion"}), "v1");
  EXPECT_EQ(text_at(made.body, {"kind"}), "ConfigMap");
  EXPECT_EQ(text_at(made.body, {"metadata", "namespace"}), "egress-operator-system");
  EXPECT_EQ(text_at(made.body, {"metadata", "creationTimestamp"}), "2026-01-02T00:00:00Z");
  EXPECT_EQ(uid_of(made.body).size(), 36U);
  EXPECT_NE(uid_of(made.body), uid_of(api.post(config_maps_path, config_map("b")).body));
  EXPECT_EQ(api.get(under(config_maps_path, "a")).body, made.body);
}

TEST(create, makes_names_up_on_request) {
  api_client api;
  const auto body = R"({"metadata":{"generateName":"x-"}})";
  const auto one = api.post(config_maps_path, body), other = api.post(config_maps_path, body);
  ASSERT_EQ(one.status, 201);
  EXPECT_TRUE(name_of(one.body).starts_with("x-"));
  EXPECT_NE(name_of(one.body), name_of(other.body));
}

TEST(create, refuses) {
  api_client api;
  api.post(config_maps_path, config_map("a"));
  const auto expect = [&api](const std::string& path, const std::string& body, int status,
                             const char* reason) {
    const auto got = api.post(path, body);
    EXPECT_EQ(got.status, status) << body;
    EXPECT_EQ(got.reason(), reason) << body;
    EXPECT_EQ(text_at(got.body, {"kind"}), "Status");
    EXPECT_EQ(number_at(got.body, {"code"}), status);
  };
  expect(config_maps_path, config_map("a"), 409, "AlreadyExists");
  expect(config_maps_path, config_map("A_b"), 422, "Invalid");
  expect(config_maps_path, "{}", 422, "Invalid");
  expect(config_maps_path, "{", 400, "BadRequest");
  expect(config_maps_path, "[]", 400, "BadRequest");
  expect(config_maps_path, R"({"kind":"Secret","metadata":{"name":"b"}})", 400, "BadRequest");
  expect(config_maps_path, R"({"metadata":{"name":"b","namespace":"default"}})", 400, "BadRequest");
  expect(config_maps_path, R"({"metadata":{"name":"b","labels":{"a":1}}})", 422, "Invalid");
  expect("/api/v1/namespaces/none/configmaps", config_map("a"), 404, "NotFound");
  expect("/api/v1/configmaps", config_map("a"), 405, "MethodNotAllowed");
  expect("/api/v1/nodes", R"({"metadata":{"name":"n"}})", 405, "MethodNotAllowed");
  expect("/api/v1/none", "{}", 404, "NotFound");
}

TEST(create, words_errors_as_the_real_server) {
  api_client api;
  EXPECT_EQ(api.get(under(deployments_path, "x")).message(), R"(deployments.apps "x" not found)");
  api.post(config_maps_path, config_map("a"));
  const auto again = api.post(config_maps_path, config_map("a"));
  EXPECT_EQ(again.message(), R"(configmaps "a" already exists)");
  EXPECT_EQ(text_at(again.body, {"details", "name"}), "a");
  EXPECT_EQ(text_at(again.body, {"details", "kind"}), "configmaps");
}

TEST(dry_run, writes_nothing) {
  api_client api;
  const auto before = api.on->objects().version();
  EXPECT_EQ(api.post(std::string{services_path} + "?dryRun=All", service("a")).status, 201);
  EXPECT_EQ(api.get(under(services_path, "a")).status, 404);
  EXPECT_EQ(api.post(std::string{services_path} + "?dryRun=Some", service("a")).status, 400);
  EXPECT_EQ(api.on->objects().version(), before);
  api.post(services_path, service("a"));
  EXPECT_EQ(api.remove(under(services_path, "a?dryRun=All")).status, 200);
  EXPECT_EQ(api.get(under(services_path, "a")).status, 200);
}

TEST(update, refuses_a_stale_version) {
  api_client api;
  const auto first = api.post(config_maps_path, config_map("a"));
  ASSERT_EQ(api.merge(under(config_maps_path, "a"), R"({"data":{"k":"y"}})").status, 200);
  const auto stale = api.put(under(config_maps_path, "a"), json::to_text(first.body));
  EXPECT_EQ(stale.status, 409);
  EXPECT_EQ(stale.reason(), "Conflict");
  const auto patch = R"({"metadata":{"resourceVersion":")" + first.version() + R"("},"data":{"k":"z"}})";
  EXPECT_EQ(api.merge(under(config_maps_path, "a"), patch).status, 409);
  // Without a version the last one wins, but not for custom resources.
  EXPECT_EQ(api.put(under(config_maps_path, "a"), config_map("a", "w")).status, 200);
  api.post(exsvc, external_service("e", "{}"));
  EXPECT_EQ(api.put(exsvc + "/e", external_service("e", "{}")).status, 422);
}

TEST(update, of_nothing_is_not_found) {
  api_client api;
  EXPECT_EQ(api.put(under(config_maps_path, "a"), config_map("a")).status, 404);
  EXPECT_EQ(api.merge(under(config_maps_path, "a"), "{}").status, 404);
  EXPECT_EQ(api.remove(under(config_maps_path, "a")).status, 404);
}

TEST(update, keeps_what_is_the_servers) {
  api_client api;
  const auto made = api.post(exsvc, external_service("e", R"({"dnsName":"a.example"})"));
  const auto patched =
      api.merge(exsvc + "/e", R"({"metadata":{"creationTimestamp":"2020-01-01T00:00:00Z","generation":7}})");
  EXPECT_EQ(patched.status, 200);
  EXPECT_EQ(patched.body, made.body);
  EXPECT_EQ(api.merge(exsvc + "/e", R"({"metadata":{"uid":"x"}})").status, 409);
  EXPECT_EQ(api.merge(exsvc + "/e", R"({"metadata":{"name":"f"}})").status, 400);
}

TEST(update, that_changes_nothing_is_no_write) {
  api_client api;
  const auto made = api.post(deployments_path, deployment("d"));
  const auto before = api.on->objects().version();
  EXPECT_EQ(api.merge(under(deployments_path, "d"), R"({"spec":{"replicas":3}})").version(), made.version());
  EXPECT_EQ(api.put(under(deployments_path, "d"), deployment("d")).version(), made.version());
  EXPECT_EQ(api.on->objects().version(), before);
}

TEST(generation, counts_changes_of_the_spec_only) {
  api_client api;
  const auto generation = [](const reply& of) { return number_at(of.body, {"metadata", "generation"}); };
  EXPECT_EQ(generation(api.post(exsvc, external_service("e", R"({"dnsName":"a.example"})"))), 1);
  EXPECT_EQ(generation(api.merge(exsvc + "/e", R"({"metadata":{"labels":{"a":"b"}}})")), 1);
  EXPECT_EQ(generation(api.merge(exsvc + "/e/status", R"({"status":{"readyReplicas":3}})")), 1);
  EXPECT_EQ(generation(api.merge(exsvc + "/e", R"({"spec":{"hijackDns":true}})")), 2);
  EXPECT_EQ(generation(api.merge(exsvc + "/e", R"({"spec":{"hijackDns":true}})")), 2);
  EXPECT_EQ(
      api.post(config_maps_path, config_map("a")).body.at("metadata").as_object().contains("generation"),
      false);
}

TEST(status, is_written_by_its_subresource_only) {
  api_client api;
  const auto with_status =
      R"({"apiVersion":"egress.monzo.com/v1","kind":"ExternalService","metadata":{"name":"e"},)"
      R"("spec":{},"status":{"readyReplicas":9}})";
  EXPECT_FALSE(api.post(exsvc, with_status).body.contains("status"));
  EXPECT_FALSE(api.merge(exsvc + "/e", R"({"status":{"readyReplicas":9}})").body.contains("status"));
  const auto set =
      api.merge(exsvc + "/e/status", R"({"spec":{"hijackDns":true},"status":{"readyReplicas":2}})");
  EXPECT_EQ(number_at(set.body, {"status", "readyReplicas"}), 2);
  EXPECT_EQ(find(set.body, {"spec", "hijackDns"}), nullptr);
  // A write of the main resource keeps it.
  EXPECT_EQ(
      number_at(api.merge(exsvc + "/e", R"({"spec":{"hijackDns":true}})").body, {"status", "readyReplicas"}),
      2);
  EXPECT_EQ(api.merge(under(config_maps_path, "a/status"), "{}").status, 404);
}

TEST(deployment, gets_the_defaults_of_the_real_server) {
  api_client api;
  const auto made = api.post(deployments_path, deployment("d", 1, "registry:5000/envoy"));
  ASSERT_EQ(made.status, 201) << made.message();
  EXPECT_EQ(number_at(made.body, {"spec", "progressDeadlineSeconds"}), 600);
  EXPECT_EQ(text_at(made.body, {"spec", "strategy", "rollingUpdate", "maxSurge"}), "25%");
  const auto& pod = *object_at(made.body, {"spec", "template", "spec"});
  EXPECT_EQ(text_at(pod, {"dnsPolicy"}), "ClusterFirst");
  const auto& container = array_at(pod, {"containers"})->front().as_object();
  EXPECT_EQ(text_at(container, {"imagePullPolicy"}), "Always");
  EXPECT_EQ(text_at(array_at(container, {"ports"})->front().as_object(), {"protocol"}), "TCP");
}

TEST(deployment, keeps_its_selector) {
  api_client api;
  api.post(deployments_path, deployment("d"));
  const auto other = api.merge(
      under(deployments_path, "d"),
      R"({"spec":{"selector":{"matchLabels":{"g":"y"}},"template":{"metadata":{"labels":{"g":"y"}}}}})");
  EXPECT_EQ(other.status, 422);
  EXPECT_EQ(
      api.merge(under(deployments_path, "d"), R"({"spec":{"template":{"metadata":{"labels":{"g":"z"}}}}})")
          .status,
      422);
  EXPECT_EQ(api.post(deployments_path, R"({"metadata":{"name":"e"},"spec":{}})").status, 422);
}

TEST(scale, changes_the_replicas) {
  api_client api;
  const auto made = api.post(deployments_path, deployment("d"));
  const auto scaled = api.merge(under(deployments_path, "d/scale"), R"({"spec":{"replicas":5}})");
  ASSERT_EQ(scaled.status, 200) << scaled.message();
  EXPECT_EQ(text_at(scaled.body, {"kind"}), "Scale");
  EXPECT_EQ(number_at(scaled.body, {"spec", "replicas"}), 5);
  EXPECT_EQ(text_at(api.get(under(deployments_path, "d/scale")).body, {"status", "selector"}), "g=x");
  EXPECT_EQ(number_at(api.get(under(deployments_path, "d")).body, {"spec", "replicas"}), 5);
  const auto stale = R"({"metadata":{"resourceVersion":")" + made.version() + R"("},"spec":{"replicas":6}})";
  EXPECT_EQ(api.put(under(deployments_path, "d/scale"), stale).status, 409);
  EXPECT_EQ(api.merge(under(deployments_path, "d/scale"), R"({"spec":{"replicas":"x"}})").status, 400);
}

TEST(patch_types, are_those_that_the_kind_has) {
  api_client api;
  api.post(exsvc, external_service("e", "{}"));
  api.post(deployments_path, deployment("d"));
  EXPECT_EQ(api.strategic(exsvc + "/e", "{}").status, 415);
  EXPECT_EQ(api.call("PATCH", exsvc + "/e", "{}", "application/apply-patch+yaml").status, 415);
  EXPECT_EQ(api.call("PATCH", exsvc + "/e", "{}", "text/plain").status, 415);
  EXPECT_EQ(api.call("POST", exsvc, "{}", "application/vnd.kubernetes.protobuf").status, 415);
  const auto image =
      api.strategic(under(deployments_path, "d"),
                    R"({"spec":{"template":{"spec":{"containers":[{"name":"gateway","image":"i:2"}]}}}})");
  ASSERT_EQ(image.status, 200);
  const auto& container =
      array_at(image.body, {"spec", "template", "spec", "containers"})->front().as_object();
  EXPECT_EQ(text_at(container, {"image"}), "i:2");
  EXPECT_TRUE(container.contains("ports"));
  const auto json_type = "application/json-patch+json";
  EXPECT_EQ(api.call("PATCH", exsvc + "/e", R"([{"op":"add","path":"/spec/dnsName","value":"b"}])", json_type)
                .status,
            200);
  EXPECT_EQ(api.call("PATCH", exsvc + "/e", R"([{"op":"remove","path":"/spec/x"}])", json_type).status, 422);
  EXPECT_EQ(api.merge(exsvc + "/e", "[]").status, 400);
}

TEST(immutable_config_maps, stay_as_they_are) {
  api_client api;
  api.post(config_maps_path, R"({"metadata":{"name":"a"},"data":{"k":"x"},"immutable":true})");
  EXPECT_EQ(api.merge(under(config_maps_path, "a"), R"({"data":{"k":"y"}})").status, 422);
  EXPECT_EQ(api.merge(under(config_maps_path, "a"), R"({"immutable":null})").status, 422);
  EXPECT_EQ(api.merge(under(config_maps_path, "a"), R"({"metadata":{"labels":{"l":"m"}}})").status, 200);
}

TEST(events, of_cluster_scoped_objects_are_in_default) {
  api_client api;
  const auto event = [](const std::string& about) {
    return R"({"metadata":{"name":"e"},"involvedObject":{"kind":"ExternalService","name":"x")" + about + "}}";
  };
  EXPECT_EQ(api.post("/api/v1/namespaces/egress-operator-system/events", event("")).status, 422);
  EXPECT_EQ(api.post("/api/v1/namespaces/default/events", event("")).status, 201);
  const auto in_namespace = event(R"(,"namespace":"egress-operator-system")");
  EXPECT_EQ(api.post("/api/v1/namespaces/egress-operator-system/events", in_namespace).status, 201);
}

}  // namespace
}  // namespace egress::dev::test
