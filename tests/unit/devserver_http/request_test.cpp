// What a method and a target ask for.
#include "tests/unit/devserver_http/fixture.hpp"

namespace egress::dev::test {
namespace {

struct row {
  const char *method, *target;
  endpoint what;
  const char *verb, *plural_and_part, *name_space, *name;
};

class requests : public testing::TestWithParam<row> {};

TEST_P(requests, are_taken_apart) {
  const auto& want = GetParam();
  const api_request from{want.method, want.target, "", "", ""};
  const auto got = parse_request(from);
  ASSERT_EQ(got.what, want.what) << want.target;
  EXPECT_EQ(got.verb, want.verb);
  EXPECT_EQ(got.name_space, want.name_space);
  EXPECT_EQ(got.name, want.name);
  if (want.what == endpoint::object) EXPECT_EQ(got.plural_and_part(), want.plural_and_part);
}

constexpr auto object = endpoint::object, unknown = endpoint::unknown;
INSTANTIATE_TEST_SUITE_P(
    paths, requests,
    testing::Values(
        row{"GET", "/apis/egress.monzo.com/v1/externalservices", object, "list", "externalservices", "", ""},
        row{"GET", "/apis/egress.monzo.com/v1/externalservices?watch=true", object, "watch",
            "externalservices", "", ""},
        row{"GET", "/apis/egress.monzo.com/v1/externalservices/a", object, "get", "externalservices", "",
            "a"},
        row{"PATCH", "/apis/egress.monzo.com/v1/externalservices/a/status", object, "patch",
            "externalservices/status", "", "a"},
        row{"GET", "/api/v1/services", object, "list", "services", "", ""},
        row{"POST", "/api/v1/namespaces/n/services", object, "create", "services", "n", ""},
        row{"PUT", "/apis/apps/v1/namespaces/n/deployments/d/scale", object, "update", "deployments/scale",
            "n", "d"},
        row{"DELETE", "/api/v1/namespaces/n/services", object, "deletecollection", "services", "n", ""},
        row{"DELETE", "/api/v1/namespaces/n/services/s", object, "delete", "services", "n", "s"},
        row{"GET", "/api/v1/namespaces/n", object, "get", "namespaces", "", "n"},
        row{"GET", "/api/v1/namespaces", object, "list", "namespaces", "", ""},
        row{"GET", "/api/v1/services/s", unknown, "", "", "", ""},
        row{"GET", "/api/v1/namespaces/n/services/s/scale", unknown, "", "", "n", "s"},
        row{"GET", "/api/v1/namespaces/n/gadgets", unknown, "", "", "n", ""},
        row{"GET", "/", unknown, "", "", "", ""}, row{"GET", "/apis/", endpoint::group_list, "", "", "", ""},
        row{"GET", "/api", endpoint::core_versions, "", "", "", ""},
        row{"GET", "/api/v1", endpoint::resource_list, "", "", "", ""},
        row{"GET", "/apis/apps", endpoint::group_info, "", "", "", ""},
        row{"GET", "/version?timeout=32s", endpoint::version, "", "", "", ""},
        row{"GET", "/openapi/v3", endpoint::openapi_index, "", "", "", ""},
        row{"GET", "/openapi/v3/apis/apps/v1", endpoint::openapi_document, "", "", "", ""},
        row{"GET", "/openapi/v2", unknown, "", "", "", ""},
        row{"GET", "/readyz", endpoint::health, "", "", "", ""}));

TEST(request, decodes_its_query) {
  const api_request from{"GET", "/api/v1/services?labelSelector=a%3Db%2Cc+in+%28d%29&watch=1&limit", "", "",
                         ""};
  const auto got = parse_request(from);
  EXPECT_EQ(got.option("labelSelector"), "a=b,c in (d)");
  EXPECT_EQ(got.verb, "watch");
  EXPECT_TRUE(got.query.contains("limit"));
  EXPECT_EQ(got.option("continue"), "");
}

TEST(request, keeps_what_is_no_escape) {
  const api_request from{"GET", "/api/v1/namespaces/n/services/a%2?x=%zz%4", "", "", ""};
  const auto got = parse_request(from);
  EXPECT_EQ(got.name, "a%2");
  EXPECT_EQ(got.option("x"), "%zz%4");
}

TEST(request, asks_for_a_table_only_when_that_comes_first) {
  api_request from{"GET", "/api/v1/services", "",
                   "application/json;as=Table;v=v1;g=meta.k8s.io,application/json", ""};
  EXPECT_TRUE(parse_request(from).asks_for_table());
  from.accept = "application/json,application/json;as=Table;v=v1;g=meta.k8s.io";
  EXPECT_FALSE(parse_request(from).asks_for_table());
}

}  // namespace
}  // namespace egress::dev::test
