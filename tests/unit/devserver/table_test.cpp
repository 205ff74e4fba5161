// What kubectl prints.

#include "runtime/devserver/age.hpp"
#include "runtime/devserver/definition.hpp"
#include "runtime/devserver/json_path.hpp"
#include "tests/unit/devserver/api_client.hpp"

namespace egress::dev::test {
namespace {

constexpr const char* as_table = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";

TEST(ages, are_as_short_as_kubectls) {
  const auto text = [](std::int64_t s) { return human_duration(seconds{s}); };
  EXPECT_EQ(text(-5), "0s");
  EXPECT_EQ(text(119), "119s");
  EXPECT_EQ(text(120), "2m");
  EXPECT_EQ(text(125), "2m5s");
  EXPECT_EQ(text(600), "10m");
  EXPECT_EQ(text(3 * 3600), "3h");
  EXPECT_EQ(text(3 * 3600 + 120), "3h2m");
  EXPECT_EQ(text(30 * 3600), "30h");
  EXPECT_EQ(text(50 * 3600), "2d2h");
  EXPECT_EQ(text(100 * 86400), "100d");
  EXPECT_EQ(text(800 * 86400), "2y70d");
  EXPECT_EQ(age_of("", wall_time{}), "<unknown>");
}

TEST(json_paths, find_members_and_chosen_items) {
  const auto object = object_from(R"({"a":{"b":1},"l":[{"type":"X","v":"x"},{"type":"Y","v":"y"}]})");
  EXPECT_EQ(json_path_first(object, ".a.b"), json::value(1));
  EXPECT_EQ(json_path_first(object, R"(.l[?(@.type=="Y")].v)"), json::value("y"));
  EXPECT_EQ(json_path_first(object, R"(.l[?(@.type=="Z")].v)"), json::value(nullptr));
  EXPECT_EQ(json_path_first(object, ".a.c.d"), json::value(nullptr));
  EXPECT_EQ(json_path_first(object, "a"), json::value(nullptr));
}

TEST(tables, show_external_services_by_their_definition) {
  api_client api;
  const std::string path = external_services_path;
  api.post(path, external_service("e", R"({"dnsName":"a.example","hijackDns":true})"));
  api.merge(path + "/e/status",
            R"({"status":{"ports":"443/TCP","conditions":[{"type":"Accepted","status":"False"},
    {"type":"Ready","status":"True"}]}})");
  api.now += seconds{42};
  const auto got = api.call("GET", path, "", "", as_table);
  EXPECT_EQ(text_at(got.body, {"kind"}), "Table");
  const auto& row = array_at(got.body, {"rows"})->front().as_object();
  EXPECT_EQ(json::to_text(row.at("cells")), R"(["e","a.example","443/TCP",true,"True","42s"])");
  EXPECT_EQ(text_at(row, {"object", "kind"}), "PartialObjectMetadata");
}

TEST(tables, show_services_and_deployments) {
  api_client api;
  api.post(services_path, service("s", R"(,"clusterIP":"127.96.0.9","selector":{"g":"x"})"));
  const auto services = api.call("GET", services_path, "", "", as_table);
  EXPECT_EQ(json::to_text(array_at(services.body, {"rows"})->front().as_object().at("cells")),
            R"(["s","ClusterIP","127.96.0.9","<none>","443/TCP","0s","g=x"])");
  api.post(deployments_path, deployment("d", 2));
  api.pass(seconds{1});
  const auto one = api.call("GET", under(deployments_path, "d?includeObject=Object"), "", "", as_table);
  const auto& row = array_at(one.body, {"rows"})->front().as_object();
  EXPECT_EQ(json::to_text(row.at("cells")), R"(["d","2/2",2,2,"1s","gateway","i:1","g=x"])");
  EXPECT_EQ(text_at(row, {"object", "kind"}), "Deployment");
}

TEST(tables, are_for_those_who_ask) {
  api_client api;
  EXPECT_EQ(text_at(api.get(services_path).body, {"kind"}), "ServiceList");
  EXPECT_EQ(text_at(api.call("GET", services_path, "", "", "application/json").body, {"kind"}),
            "ServiceList");
}

TEST(tables, exist_for_every_kind) {
  api_client api;
  for (const auto& of : all_resources()) {
    const auto path = (of.group.empty() ? "/api/" : "/apis/" + std::string{of.group} + "/") +
                      std::string{of.version} + "/" + std::string{of.plural};
    const auto got = api.call("GET", path, "", "", as_table);
    ASSERT_EQ(got.status, 200) << path;
    EXPECT_GE(array_at(got.body, {"columnDefinitions"})->size(), 2U) << path;
  }
}

TEST(discovery, lists_every_kind) {
  api_client api;
  for (const auto& of : all_resources()) {
    const auto path =
        (of.group.empty() ? "/api/" : "/apis/" + std::string{of.group} + "/") + std::string{of.version};
    std::set<std::string> kinds;
    for (const auto& one : *array_at(api.get(path).body, {"resources"}))
      kinds.emplace(text_at(one.as_object(), {"name"}));
    EXPECT_TRUE(kinds.contains(std::string{of.plural})) << path;
    EXPECT_EQ(kinds.contains(std::string{of.plural} + "/status"), of.status && of.allowed == access::full)
        << of.plural;
    EXPECT_EQ(api.get("/openapi/v3" + path).status, 200) << path;
  }
  EXPECT_EQ(api.get("/apis/autoscaling").body.at("preferredVersion").as_object().at("version"),
            json::value("v1"));
  EXPECT_EQ(api.get("/openapi/v2").status, 404);
  EXPECT_EQ(api.get("/version").status, 200);
  EXPECT_EQ(api.get("/healthz").raw.body, "ok");
  EXPECT_EQ(api.get("/apis/none/v1").status, 404);
  EXPECT_EQ(api.get("/").status, 404);
}

TEST(discovery, leaves_out_what_is_not_installed) {
  api_client api;
  api.on->serve("externalservices", false);
  EXPECT_EQ(api.get("/apis/egress.monzo.com/v1").status, 404);
  EXPECT_EQ(api.get(external_services_path).status, 404);
  EXPECT_EQ(api.raw_text("/apis").find("egress.monzo.com"), std::string::npos);
  api.on->serve("externalservices", true);
  EXPECT_EQ(api.get(external_services_path).status, 200);
}

TEST(openapi, explains_external_services) {
  api_client api;
  const auto document = api.get("/openapi/v3/apis/egress.monzo.com/v1").body;
  const auto* const schema =
      object_at(document, {"components", "schemas", "com.monzo.egress.v1.ExternalService"});
  ASSERT_NE(schema, nullptr);
  EXPECT_FALSE(text_at(*schema, {"properties", "spec", "properties", "dnsName", "description"}).empty());
  const auto* const patch =
      object_at(document, {"paths", "/apis/egress.monzo.com/v1/externalservices/{name}", "patch"});
  ASSERT_NE(patch, nullptr);
  EXPECT_EQ(json::to_text(patch->at("parameters")).find("fieldValidation") == std::string::npos, false);
}

}  // namespace
}  // namespace egress::dev::test
