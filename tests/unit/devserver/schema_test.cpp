// The schema of ExternalService: the file that clusters get, applied to what clients send.

#include "runtime/devserver/schema.hpp"

#include <set>

#include "runtime/devserver/definition.hpp"
#include "tests/unit/devserver/api_client.hpp"

namespace egress::dev::test {
namespace {

const auto exsvc = std::string{external_services_path};

TEST(definition, is_the_one_that_clusters_get) {
  const auto& definition = external_service_definition();
  EXPECT_EQ(text_at(definition, {"metadata", "name"}), "externalservices.egress.monzo.com");
  EXPECT_FALSE(external_service_schema().empty());
  std::string columns;
  for (const auto& one : external_service_columns())
    columns += std::string{text_at(one.as_object(), {"name"})} + "|";
  EXPECT_EQ(columns, "DNS NAME|PORTS|HIJACK|READY|AGE|");
}

TEST(definition, has_every_field_of_the_contract) {
  const auto* const spec = object_at(external_service_schema(), {"properties", "spec", "properties"});
  ASSERT_NE(spec, nullptr);
  for (const auto* const field :
       {"dnsName", "ports", "hijackDns", "minReplicas", "maxReplicas", "targetCPUUtilizationPercentage",
        "resources", "ipOverride", "envoyClusterMaxConnections", "envoyLogLevel", "envoyDnsRefreshRateS",
        "envoyRespectDnsTTL", "serviceTopologyMode", "envoyJsonAdminAccessLogs", "envoyJsonClusterAccessLogs",
        "tls", "configDelivery", "allowPrivate", "dnsClients"})
    EXPECT_TRUE(spec->contains(field)) << field;
}

struct refused_case {
  const char *spec, *field;
};

class refused_specs : public ::testing::TestWithParam<refused_case> {};

TEST_P(refused_specs, name_the_field) {
  api_client api;
  const auto got = api.post(exsvc, external_service("e", GetParam().spec));
  EXPECT_EQ(got.status, 422);
  EXPECT_EQ(got.reason(), "Invalid");
  std::set<std::string> fields;
  for (const auto& one : *array_at(got.body, {"details", "causes"}))
    fields.emplace(text_at(one.as_object(), {"field"}));
  EXPECT_TRUE(fields.contains(GetParam().field)) << got.message();
}

INSTANTIATE_TEST_SUITE_P(
    all, refused_specs,
    ::testing::Values(refused_case{R"("x")", "spec"}, refused_case{R"({"dnsName":1})", "spec.dnsName"},
                      refused_case{R"({"dnsName":null})", "spec.dnsName"},
                      refused_case{R"({"ports":{}})", "spec.ports"},
                      refused_case{R"({"ports":[1]})", "spec.ports[0]"},
                      refused_case{R"({"ports":[{"port":1},{"port":"2"}]})", "spec.ports[1].port"},
                      refused_case{R"({"ports":[{"port":1.5}]})", "spec.ports[0].port"},
                      refused_case{R"({"ports":[{"port":70000}]})", "spec.ports[0].port"},
                      refused_case{R"({"ports":[{"port":1,"protocol":"SCTP"}]})", "spec.ports[0].protocol"},
                      refused_case{R"({"hijackDns":"yes"})", "spec.hijackDns"},
                      refused_case{R"({"minReplicas":0})", "spec.minReplicas"},
                      refused_case{R"({"resources":{"limits":{"cpu":true}}})", "spec.resources.limits.cpu"},
                      refused_case{R"({"ipOverride":"1.2.3.4"})", "spec.ipOverride"},
                      refused_case{R"({"tls":{"sni":"Maybe"}})", "spec.tls.sni"}));

TEST(schema, takes_what_the_contract_allows) {
  api_client api;
  const auto* const spec =
      R"({"dnsName":"*.a.example","ports":[{"port":443,"protocol":"UDP"}],"hijackDns":true,
    "minReplicas":1,"resources":{"limits":{"cpu":2,"memory":"1Gi"}},"ipOverride":["1.2.3.4","fe80::"],
    "envoyClusterMaxConnections":4294967295,"envoyDnsRefreshRateS":5,"tls":{"sni":"Off"}})";
  const auto made = api.post(exsvc, external_service("e", spec));
  ASSERT_EQ(made.status, 201) << made.message();
  EXPECT_EQ(made.body.at("spec"), json::value(object_from(spec)));
}

TEST(schema, prunes_unknown_fields_and_says_so) {
  api_client api;
  const auto body = external_service("e", R"({"dnsName":"a","dnsname":"b","ports":[{"port":1,"prot":"x"}]})");
  const auto warned = api.post(exsvc, body);
  ASSERT_EQ(warned.status, 201);
  EXPECT_EQ(json::to_text(warned.body.at("spec")), R"({"dnsName":"a","ports":[{"port":1}]})");
  ASSERT_EQ(warned.raw.headers.size(), 2U);
  EXPECT_EQ(warned.raw.headers[0].second, R"(299 - "unknown field \"spec.ports[0].prot\"")");
  EXPECT_TRUE(api.put(exsvc + "/e?fieldValidation=Ignore", json::to_text(warned.body)).raw.headers.empty());
}

TEST(schema, refuses_unknown_fields_on_request) {
  api_client api;
  const auto got = api.post(exsvc + "?fieldValidation=Strict", external_service("e", R"({"dnsname":"b"})"));
  EXPECT_EQ(got.status, 400);
  EXPECT_NE(got.message().find(R"(unknown field "spec.dnsname")"), std::string::npos) << got.message();
}

TEST(schema, leaves_stored_values_writable) {
  api_client api;
  auto old = api.post(exsvc, external_service("e", R"({"dnsName":"a"})")).body;
  old.at("spec").as_object()["ports"] = json::array{json::object{{"port", 0}}};
  api.on->raw_objects().put(kinds::external_services(), {"", "e"}, old);
  EXPECT_EQ(api.merge(exsvc + "/e", R"({"spec":{"hijackDns":true}})").status, 200);
  EXPECT_EQ(api.merge(exsvc + "/e/status", R"({"status":{"readyReplicas":1}})").status, 200);
  EXPECT_EQ(api.merge(exsvc + "/e", R"({"spec":{"ports":[{"port":-1}]}})").status, 422);
}

TEST(schema, checks_the_status_too) {
  api_client api;
  api.post(exsvc, external_service("e", "{}"));
  EXPECT_EQ(api.merge(exsvc + "/e/status", R"({"status":{"conditions":[{"type":"Ready"}]}})").status, 422);
  EXPECT_EQ(api.merge(exsvc + "/e/status", R"({"status":{"conditions":[{"type":"Ready","status":"Maybe"}]}})")
                .status,
            422);
  const auto* const good =
      R"({"status":{"conditions":[{"type":"Ready","status":"True","lastTransitionTime":"2026-01-02T03:04:05Z"}]}})";
  EXPECT_EQ(api.merge(exsvc + "/e/status", good).status, 200);
  EXPECT_EQ(
      api.merge(exsvc + "/e/status",
                R"({"status":{"conditions":[{"type":"Ready","status":"True","lastTransitionTime":"now"}]}})")
          .status,
      422);
}

}  // namespace
}  // namespace egress::dev::test
