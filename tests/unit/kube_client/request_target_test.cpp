#include "runtime/kube/request_target.hpp"

#include <gtest/gtest.h>

namespace egress::kube {
namespace {

using namespace std::chrono_literals;

request of(verb what, kind about = kind::deployment) {
  request made;
  made.what = what;
  made.of = about;
  made.name_space = "n";
  made.name = "a";
  made.body = "{}";
  return made;
}

TEST(request_target, is_method_path_and_type_of_each_verb) {
  const std::string all = "/apis/apps/v1/namespaces/n/deployments", one = all + "/a",
                    late = "?timeout=5000ms";
  const struct {
    verb what;
    std::string method, target, type, body;
    bool writes;
  } table[] = {
      {verb::get, "GET", one, "", "", false},
      {verb::list, "GET", all, "", "", false},
      {verb::create, "POST", all + late, "application/json", "{}", true},
      {verb::replace, "PUT", one + late, "application/json", "{}", true},
      {verb::patch, "PATCH", one + late, "application/merge-patch+json", "{}", true},
      {verb::patch_status, "PATCH", one + "/status" + late, "application/merge-patch+json", "{}", true},
  };
  for (const auto& row : table) {
    const auto got = shape_of(of(row.what), 5s);
    EXPECT_EQ(got.method, row.method);
    EXPECT_EQ(got.target, row.target);
    EXPECT_EQ(got.content_type, row.type);
    EXPECT_EQ(got.body(of(row.what)), row.body);
    EXPECT_EQ(got.writes, row.writes);
  }
}

TEST(request_target, of_a_raw_get_is_its_path) {
  auto what = of(verb::get_raw);
  what.path = "/version";
  EXPECT_EQ(shape_of(what, 5s).target, "/version");
  EXPECT_EQ(shape_of(what, 5s).method, "GET");
}

TEST(request_target, of_a_write_has_the_time_that_the_server_may_take) {
  EXPECT_TRUE(shape_of(of(verb::patch), 500ms).target.ends_with("?timeout=500ms"));
}

TEST(request_target, of_a_lease_is_no_gated_write) {
  EXPECT_FALSE(shape_of(of(verb::replace, kind::lease), 5s).writes);
}

TEST(request_target, of_a_deletion_carries_its_precondition) {
  auto what = of(verb::remove);
  EXPECT_FALSE(shape_of(what, 5s).options.contains("preconditions"));
  what.uid = "u\"1";
  const auto got = shape_of(what, 5s);
  EXPECT_EQ(got.method, "DELETE");
  EXPECT_TRUE(got.body(what).contains(R"("uid":"u\"1")")) << got.body(what);
  EXPECT_TRUE(got.body(what).contains(R"("propagationPolicy":"Background")")) << got.body(what);
}

TEST(request_target, of_a_list_has_its_query) {
  auto what = of(verb::list);
  what.label_selector = "a in (b,c),d!=e";
  what.limit = 500;
  what.resource_version = "0";
  EXPECT_EQ(shape_of(what, 5s).target,
            "/apis/apps/v1/namespaces/n/deployments"
            "?labelSelector=a%20in%20%28b%2Cc%29%2Cd%21%3De&limit=500&resourceVersion=0");
  what.continue_token = "t/+=";
  EXPECT_TRUE(shape_of(what, 5s).target.ends_with("&limit=500&continue=t%2F%2B%3D"))
      << "the token has its version";
}

TEST(request_target, is_not_left_by_what_names_contain) {
  const struct {
    std::string name, path;
  } table[] = {
      {"a/../b", "a%2F..%2Fb"},         {"..", "%2E%2E"},     {".", "%2E"},
      {"a?b=c", "a%3Fb%3Dc"},           {"a#b", "a%23b"},     {"a b", "a%20b"},
      {"a\r\nX: y", "a%0D%0AX%3A%20y"}, {"a%2Fb", "a%252Fb"}, {"\xc3\xb6", "%C3%B6"},
  };
  for (const auto& [name, path] : table) {
    auto what = of(verb::get, kind::service);
    what.name = name;
    EXPECT_EQ(shape_of(what, 5s).target, "/api/v1/namespaces/n/services/" + path);
    what.name = "x";
    what.name_space = name;
    EXPECT_EQ(shape_of(what, 5s).target, "/api/v1/namespaces/" + path + "/services/x");
  }
}

TEST(request_target, of_a_watch_of_one_object_selects_its_name) {
  watch_request what;
  what.of = kind::lease;
  what.name_space = "n";
  what.name = "a/b";
  EXPECT_EQ(target_of(what),
            "/apis/coordination.k8s.io/v1/namespaces/n/leases?watch=true&allowWatchBookmarks=true"
            "&timeoutSeconds=300&fieldSelector=metadata.name%3Da%2Fb");
}

TEST(request_target, of_a_watch) {
  watch_request what;
  what.of = kind::service;
  what.name_space = "n";
  what.resource_version = "7";
  EXPECT_EQ(target_of(what),
            "/api/v1/namespaces/n/"
            "services?watch=true&allowWatchBookmarks=true&timeoutSeconds=300&resourceVersion=7");
  what.name_space = "";
  what.resource_version = "";
  what.send_initial_events = true;
  EXPECT_EQ(target_of(what),
            "/api/v1/services?watch=true&allowWatchBookmarks=true&timeoutSeconds=300"
            "&sendInitialEvents=true&resourceVersionMatch=NotOlderThan");
}

}  // namespace
}  // namespace egress::kube
