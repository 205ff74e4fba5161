// What kubectl asks before it does anything.
#include "tests/unit/devserver_http/fixture.hpp"

namespace egress::dev::test {
namespace {

json::object resource_named(const json::object& list, const std::string& name) {
  for (const auto& one : list.at("resources").as_array())
    if (at(one.as_object(), "/name") == name) return one.as_object();
  ADD_FAILURE() << "no " << name;
  return {};
}

TEST(discovery, lists_groups_and_kinds) {
  asked_cluster ask;
  EXPECT_EQ(at(parsed(ask("GET", "/api").body), "/versions/0"), "v1");
  EXPECT_NE(ask("GET", "/apis").body.find("\"egress.monzo.com\""), std::string::npos);
  EXPECT_EQ(at(parsed(ask("GET", "/apis/apps").body), "/preferredVersion/groupVersion"), "apps/v1");
  const auto list = parsed(ask("GET", "/apis/egress.monzo.com/v1").body);
  const auto kind = resource_named(list, "externalservices");
  EXPECT_EQ(at(kind, "/kind"), "ExternalService");
  EXPECT_EQ(at(kind, "/namespaced"), "false");
  EXPECT_EQ(at(kind, "/shortNames/0"), "exsvc");
  resource_named(list, "externalservices/status");
  resource_named(parsed(ask("GET", "/apis/apps/v1").body), "deployments/scale");
}

TEST(discovery, hides_a_kind_that_is_not_installed) {
  asked_cluster ask;
  ask.objects->serve("externalservices", false);
  EXPECT_EQ(ask("GET", "/apis/egress.monzo.com/v1").status, 404);
  EXPECT_EQ(ask("GET", exsvcs).status, 404);
  EXPECT_EQ(ask("GET", "/apis").body.find("egress.monzo.com"), std::string::npos);
}

TEST(discovery, describes_external_services_for_explain) {
  asked_cluster ask;
  const auto index = parsed(ask("GET", "/openapi/v3").body);
  EXPECT_EQ(at(index, "/paths/apis~1egress.monzo.com~1v1/serverRelativeURL"),
            "/openapi/v3/apis/egress.monzo.com/v1");
  const auto document = parsed(ask("GET", "/openapi/v3/apis/egress.monzo.com/v1").body);
  const std::string schema = "/components/schemas/com.monzo.egress.v1.ExternalService";
  EXPECT_EQ(at(document, schema + "/x-kubernetes-group-version-kind/0/kind"), "ExternalService");
  const auto fields = schema + "/properties/spec/properties";
  EXPECT_EQ(at(document, fields + "/ports/items/properties/port/type"), "integer");
  EXPECT_NE(at(document, fields + "/dnsName/description"), "");
}

TEST(discovery, says_that_the_server_checks_fields) {
  asked_cluster ask;
  for (const auto* const path : {"/openapi/v3/apis/egress.monzo.com/v1", "/openapi/v3/api/v1"}) {
    const auto document = parsed(ask("GET", path).body);
    std::size_t patches = 0;
    for (const auto& [name, item] : document.at("paths").as_object()) {
      const auto parameters = at(item.as_object(), "/patch/parameters");
      if (parameters.empty()) continue;
      ++patches;
      EXPECT_NE(parameters.find("fieldValidation"), std::string::npos) << name;
      EXPECT_NE(parameters.find("dryRun"), std::string::npos) << name;
    }
    EXPECT_GT(patches, 0U) << path;
  }
}

TEST(discovery, answers_health_and_refuses_what_is_not_there) {
  asked_cluster ask;
  for (const auto* const path : {"/healthz", "/readyz", "/livez"}) EXPECT_EQ(ask("GET", path).body, "ok");
  EXPECT_NE(at(parsed(ask("GET", "/version").body), "/gitVersion"), "");
  for (const auto* const path :
       {"/openapi/v2", "/apis/none", "/apis/none/v1", "/openapi/v3/apis/none/v1", "/"})
    EXPECT_EQ(ask("GET", path).status, 404) << path;
}

}  // namespace
}  // namespace egress::dev::test
