// The verbs, as clients see their answers.
#include "tests/unit/devserver_http/fixture.hpp"

namespace egress::dev::test {
namespace {

const std::string merge_patch = "application/merge-patch+json", json_patch = "application/json-patch+json",
                  strategic_patch = "application/strategic-merge-patch+json";

std::vector<std::string> names_of(const json::object& list) {
  std::vector<std::string> all;
  for (const auto& one : list.at("items").as_array()) all.push_back(at(one.as_object(), "/metadata/name"));
  return all;
}

TEST(api, refuses_with_a_status_as_a_real_server_does) {
  asked_cluster ask;
  const auto got = ask("GET", exsvcs + "/nobody");
  EXPECT_EQ(got.status, 404);
  EXPECT_EQ(parsed(got.body), parsed(R"({"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure",
                   "message":"externalservices.egress.monzo.com \"nobody\" not found","reason":"NotFound",
                   "details":{"name":"nobody","group":"egress.monzo.com","kind":"externalservices"},"code":404})"));
}

TEST(api, creates_reads_and_deletes) {
  asked_cluster ask;
  EXPECT_EQ(ask("POST", exsvcs, external_service("a")).status, 201);
  EXPECT_EQ(at(parsed(ask("GET", exsvcs + "/a").body), "/spec/dnsName"), "a.example");
  EXPECT_EQ(at(parsed(ask("POST", exsvcs, external_service("a")).body), "/reason"), "AlreadyExists");
  const auto gone = parsed(ask("DELETE", exsvcs + "/a").body);
  EXPECT_EQ(at(gone, "/status"), "Success");
  EXPECT_EQ(at(gone, "/details/name"), "a");
  EXPECT_EQ(ask("GET", exsvcs + "/a").status, 404);
}

TEST(api, refuses_a_stale_update_and_a_deletion_of_another_uid) {
  asked_cluster ask;
  const auto first = ask("POST", exsvcs, external_service("a")).body;
  EXPECT_EQ(ask("PATCH", exsvcs + "/a", R"({"spec":{"minReplicas":2}})", merge_patch).status, 200);
  EXPECT_EQ(at(parsed(ask("PUT", exsvcs + "/a", first).body), "/reason"), "Conflict");
  EXPECT_EQ(ask("DELETE", exsvcs + "/a", R"({"preconditions":{"uid":"other"}})").status, 409);
  EXPECT_EQ(ask("GET", exsvcs + "/a").status, 200);
}

TEST(api, patches_by_content_type) {
  asked_cluster ask;
  ask("POST", exsvcs, external_service("a"));
  EXPECT_EQ(at(parsed(ask("PATCH", exsvcs + "/a", R"({"spec":{"minReplicas":2}})", merge_patch).body),
               "/spec/minReplicas"),
            "2");
  const auto replaced =
      ask("PATCH", exsvcs + "/a", R"([{"op":"replace","path":"/spec/minReplicas","value":4}])", json_patch);
  EXPECT_EQ(at(parsed(replaced.body), "/spec/minReplicas"), "4");
  EXPECT_EQ(ask("PATCH", exsvcs + "/a", "{}", strategic_patch).status, 415);
  ask("POST", maps, config_map("m"));
  EXPECT_EQ(at(parsed(ask("PATCH", maps + "/m", R"({"data":{"k":"v"}})", strategic_patch).body), "/data/k"),
            "v");
  const auto apply = ask("PATCH", maps + "/m", "{}", "application/apply-patch+yaml");
  EXPECT_EQ(apply.status, 415);
  EXPECT_EQ(at(parsed(apply.body), "/reason"), "UnsupportedMediaType");
}

TEST(api, writes_the_status_by_its_subresource_alone) {
  asked_cluster ask;
  ask("POST", exsvcs, external_service("a"));
  const std::string both =
      R"({"spec":{"minReplicas":7},"status":{"conditions":[{"type":"Ready","status":"True","reason":"R","message":"",
          "lastTransitionTime":"2026-01-02T03:04:05Z"}]}})";
  const auto by_status = parsed(ask("PATCH", exsvcs + "/a/status", both, merge_patch).body);
  EXPECT_EQ(at(by_status, "/status/conditions/0/status"), "True");
  EXPECT_EQ(at(by_status, "/spec/minReplicas"), "");
  EXPECT_EQ(at(by_status, "/metadata/generation"), "1");
  const auto by_object =
      parsed(ask("PATCH", exsvcs + "/a", R"({"spec":{"minReplicas":7},"status":null})", merge_patch).body);
  EXPECT_EQ(at(by_object, "/status/conditions/0/status"), "True");
  EXPECT_EQ(at(by_object, "/metadata/generation"), "2");
}

TEST(api, shows_and_takes_a_scale) {
  asked_cluster ask;
  const std::string all = "/apis/apps/v1/namespaces/default/deployments";
  const auto made =
      ask("POST", all,
          R"({"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"d"},"spec":{"replicas":2,
                            "selector":{"matchLabels":{"a":"b"}},"template":{"metadata":{"labels":{"a":"b"}},
                            "spec":{"containers":[{"name":"c","image":"i"}]}}}})");
  ASSERT_EQ(made.status, 201) << made.body;
  const auto scale = parsed(ask("GET", all + "/d/scale").body);
  EXPECT_EQ(at(scale, "/kind"), "Scale");
  EXPECT_EQ(at(scale, "/spec/replicas"), "2");
  EXPECT_EQ(ask("PATCH", all + "/d/scale", R"({"spec":{"replicas":5}})", merge_patch).status, 200);
  EXPECT_EQ(at(parsed(ask("GET", all + "/d").body), "/spec/replicas"), "5");
}

TEST(api, checks_fields_as_strictly_as_it_is_asked_to) {
  asked_cluster ask;
  const auto wrong = external_service("a", R"(,"dnsNmae":"x","other":1)");
  const auto strict = ask("POST", exsvcs + "?fieldValidation=Strict", wrong);
  EXPECT_EQ(strict.status, 400);
  EXPECT_NE(strict.body.find(R"(unknown field \"spec.dnsNmae\")"), std::string::npos) << strict.body;
  const auto warned = ask("POST", exsvcs + "?fieldValidation=Warn&dryRun=All", wrong);
  EXPECT_EQ(warned.status, 201);
  ASSERT_EQ(warned.headers.size(), 2U);
  EXPECT_EQ(warned.headers[0],
            (std::pair<std::string, std::string>{"Warning", R"(299 - "unknown field \"spec.dnsNmae\"")"}));
  const auto ignored = ask("POST", exsvcs + "?fieldValidation=Ignore", wrong);
  EXPECT_EQ(ignored.status, 201);
  EXPECT_TRUE(ignored.headers.empty());
  EXPECT_EQ(at(parsed(ignored.body), "/spec/dnsNmae"), "") << "pruned";
}

TEST(api, refuses_what_the_schema_does_not_allow_and_names_the_field) {
  asked_cluster ask;
  const auto got = parsed(ask("POST", exsvcs, external_service("a", R"(,"ports":[{"port":"https"}])")).body);
  EXPECT_EQ(at(got, "/reason"), "Invalid");
  EXPECT_EQ(at(got, "/details/causes/0/field"), "spec.ports[0].port");
}

TEST(api, changes_nothing_in_a_dry_run) {
  asked_cluster ask;
  const auto before = ask.objects->objects().version();
  EXPECT_EQ(ask("POST", exsvcs + "?dryRun=All", external_service("a")).status, 201);
  ask("POST", maps, config_map("m"));
  EXPECT_EQ(ask("PATCH", maps + "/m?dryRun=All", R"({"data":{"k":"v"}})", merge_patch).status, 200);
  EXPECT_EQ(ask("DELETE", maps + "/m?dryRun=All").status, 200);
  EXPECT_EQ(ask.objects->objects().version(), before + 1);
  EXPECT_EQ(ask("POST", exsvcs + "?dryRun=Some", external_service("a")).status, 400);
}

TEST(api, lists_across_namespaces_and_by_selectors) {
  asked_cluster ask;
  ask("POST", maps, config_map("a", R"({"app":"x"})"));
  ask("POST", "/api/v1/namespaces/egress-operator-system/configmaps", config_map("b", R"({"app":"y"})"));
  EXPECT_EQ(names_of(parsed(ask("GET", "/api/v1/configmaps").body)), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(names_of(parsed(ask("GET", maps).body)), std::vector<std::string>{"a"});
  EXPECT_EQ(names_of(parsed(ask("GET", "/api/v1/configmaps?labelSelector=app+in+(y)").body)),
            std::vector<std::string>{"b"});
  EXPECT_EQ(names_of(parsed(ask("GET", "/api/v1/configmaps?fieldSelector=metadata.name%3Da").body)),
            std::vector<std::string>{"a"});
  EXPECT_EQ(ask("GET", "/api/v1/configmaps?labelSelector=a+in").status, 400);
}

std::string continued(const json::object& list) {
  std::string escaped;
  for (const char c : at(list, "/metadata/continue"))
    escaped += fmt::format("%{:02X}", static_cast<unsigned char>(c));
  return escaped;
}

TEST(api, pages_show_one_moment) {
  asked_cluster ask;
  for (const auto* const name : {"a", "b", "c"}) ask("POST", exsvcs, external_service(name));
  const auto first = parsed(ask("GET", exsvcs + "?limit=2").body);
  EXPECT_EQ(names_of(first), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(at(first, "/metadata/remainingItemCount"), "1");
  ask("DELETE", exsvcs + "/c");
  ask("POST", exsvcs, external_service("d"));
  const auto second = parsed(ask("GET", exsvcs + "?limit=2&continue=" + continued(first)).body);
  EXPECT_EQ(names_of(second), std::vector<std::string>{"c"});
  EXPECT_EQ(at(second, "/metadata/resourceVersion"), at(first, "/metadata/resourceVersion"));
  EXPECT_EQ(at(second, "/metadata/continue"), "");
}

TEST(api, a_page_that_is_too_old_is_expired) {
  asked_cluster ask;
  for (const auto* const name : {"a", "b", "c"}) ask("POST", exsvcs, external_service(name));
  const auto first = parsed(ask("GET", exsvcs + "?limit=1").body);
  ask("DELETE", exsvcs + "/c");
  ask.objects->raw_objects().compact();
  const auto second = ask("GET", exsvcs + "?limit=1&continue=" + continued(first));
  EXPECT_EQ(second.status, 410);
  EXPECT_EQ(at(parsed(second.body), "/reason"), "Expired");
}

TEST(api, knows_no_future) {
  asked_cluster ask;
  const auto got = ask("GET", exsvcs + "?resourceVersion=999999");
  EXPECT_EQ(got.status, 504);
  EXPECT_EQ(at(parsed(got.body), "/details/causes/0/reason"), "ResourceVersionTooLarge");
  EXPECT_EQ(ask("GET", exsvcs + "?resourceVersion=0").status, 200);
  EXPECT_EQ(ask("GET", exsvcs + "?resourceVersion=x").status, 400);
}

TEST(api, deletes_a_selection) {
  asked_cluster ask;
  ask("POST", maps, config_map("a", R"({"app":"x"})"));
  ask("POST", maps, config_map("b", R"({"app":"y"})"));
  EXPECT_EQ(ask("DELETE", maps + "?labelSelector=app%3Dx").status, 200);
  EXPECT_EQ(names_of(parsed(ask("GET", maps).body)), std::vector<std::string>{"b"});
}

TEST(api, refuses_writes_to_what_is_only_shown) {
  asked_cluster ask;
  EXPECT_EQ(ask("POST", "/api/v1/nodes", R"({"metadata":{"name":"n"}})").status, 405);
}

TEST(api, refuses_bodies_that_are_no_json_objects) {
  asked_cluster ask;
  EXPECT_EQ(ask("POST", exsvcs, "{").status, 400);
  EXPECT_EQ(ask("POST", exsvcs, "[]").status, 400);
  EXPECT_EQ(ask("POST", exsvcs, external_service("a"), "application/yaml").status, 415);
}

TEST(api, shows_tables_with_the_columns_of_the_definition) {
  asked_cluster ask;
  ask("POST", exsvcs, external_service("a", R"(,"hijackDns":true)"));
  ask.now += std::chrono::minutes{5};
  const std::string table = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";
  const auto got = parsed(ask("GET", exsvcs, "", "", table).body);
  EXPECT_EQ(at(got, "/kind"), "Table");
  std::string columns;
  for (const auto& one : got.at("columnDefinitions").as_array())
    columns += at(one.as_object(), "/name") + "|";
  EXPECT_EQ(columns, "Name|DNS NAME|PORTS|HIJACK|READY|AGE|");
  EXPECT_EQ(at(got, "/rows/0/cells/1"), "a.example");
  EXPECT_EQ(at(got, "/rows/0/cells/5"), "5m");
  EXPECT_EQ(at(got, "/rows/0/object/kind"), "PartialObjectMetadata");
  EXPECT_EQ(
      at(parsed(ask("GET", exsvcs + "?includeObject=Object", "", "", table).body), "/rows/0/object/kind"),
      "ExternalService");
  EXPECT_EQ(at(parsed(ask("GET", exsvcs + "?includeObject=None", "", "", table).body), "/rows/0/object"), "");
}

}  // namespace
}  // namespace egress::dev::test
