// Lists: selection, pages, versions.

#include "tests/unit/devserver/api_client.hpp"

namespace egress::dev::test {
namespace {

const auto maps = std::string{config_maps_path};

std::string names(const reply& of) {
  std::string all;
  for (const auto& one : *array_at(of.body, {"items"})) all += name_of(one.as_object()) + " ";
  return all;
}

std::string token(const reply& of) {
  return std::string{text_at(of.body, {"metadata", "continue"})};
}

api_client with_maps(std::initializer_list<const char*> names) {
  api_client api;
  for (const auto* const name : names) api.post(maps, config_map(name));
  return api;
}

TEST(lists, have_the_kind_of_their_items) {
  auto api = with_maps({"a", "b"});
  const auto all = api.get("/api/v1/configmaps");
  EXPECT_EQ(text_at(all.body, {"kind"}), "ConfigMapList");
  EXPECT_EQ(all.version(), std::to_string(api.on->objects().version()));
  EXPECT_EQ(names(all), "a b ");
  // As the real server: the items of built-in kinds do not repeat it, those of custom ones do.
  EXPECT_FALSE(array_at(all.body, {"items"})->front().as_object().contains("kind"));
  api.post(external_services_path, external_service("e", "{}"));
  EXPECT_TRUE(
      array_at(api.get(external_services_path).body, {"items"})->front().as_object().contains("kind"));
}

TEST(lists, select) {
  auto api = with_maps({"a", "b"});
  api.merge(under(config_maps_path, "b"), R"({"metadata":{"labels":{"app":"z"}}})");
  EXPECT_EQ(names(api.get(maps + "?labelSelector=app%3Dz")), "b ");
  EXPECT_EQ(names(api.get(maps + "?labelSelector=app+in+(a%2Cz)")), "a b ");
  EXPECT_EQ(names(api.get(maps + "?fieldSelector=metadata.name%3Da")), "a ");
  EXPECT_EQ(names(api.get("/api/v1/namespaces/default/configmaps")), "");
  EXPECT_EQ(api.get(maps + "?labelSelector=%3D").status, 400);
}

TEST(lists, come_in_pages_of_one_moment) {
  auto api = with_maps({"a", "b", "c", "d", "e"});
  const auto first = api.get(maps + "?limit=2");
  EXPECT_EQ(names(first), "a b ");
  EXPECT_EQ(number_at(first.body, {"metadata", "remainingItemCount"}), 3);
  // What happens between pages is not seen.
  api.remove(maps + "/c");
  api.post(maps, config_map("cc"));
  api.merge(maps + "/d", R"({"data":{"k":"later"}})");
  const auto second = api.get(maps + "?limit=2&continue=" + token(first));
  EXPECT_EQ(names(second), "c d ");
  EXPECT_EQ(number_at(second.body, {"metadata", "remainingItemCount"}), 1);
  EXPECT_EQ(text_at(array_at(second.body, {"items"})->at(1).as_object(), {"data", "k"}), "x");
  EXPECT_EQ(second.version(), first.version());
  const auto third = api.get(maps + "?limit=2&continue=" + token(second));
  EXPECT_EQ(names(third), "e ");
  EXPECT_EQ(token(third), "");
}

TEST(lists, of_some_come_in_pages_that_do_not_tell_how_many_are_left) {
  auto api = with_maps({"a", "b", "c", "d"});
  for (const auto* name : {"a", "c", "d"})
    api.merge(under(config_maps_path, name), R"({"metadata":{"labels":{"app":"z"}}})");
  const auto first = api.get(maps + "?labelSelector=app%3Dz&limit=1");
  const auto second = api.get(maps + "?labelSelector=app%3Dz&limit=1&continue=" + token(first));
  const auto third = api.get(maps + "?labelSelector=app%3Dz&limit=1&continue=" + token(second));
  EXPECT_EQ(names(first) + names(second) + names(third), "a c d ");
  EXPECT_FALSE(first.body.at("metadata").as_object().contains("remainingItemCount"));
  EXPECT_FALSE(second.body.at("metadata").as_object().contains("remainingItemCount"));
  EXPECT_EQ(token(third), "");
}

TEST(lists, bear_a_token_that_somebody_made_up) {
  auto api = with_maps({"a", "b", "c", "d"});
  auto made_up = token(api.get(maps + "?limit=1"));
  const auto left = made_up.find(":3:");
  ASSERT_NE(left, std::string::npos) << made_up;
  made_up.replace(left, 3, ":0:");
  const auto page = api.get(maps + "?limit=1&continue=" + made_up);
  EXPECT_EQ(page.status, 200);
  EXPECT_EQ(number_at(page.body, {"metadata", "remainingItemCount"}), 0);
}

TEST(lists, of_one_namespace_and_of_all_come_in_pages) {
  auto api = with_maps({"a", "b", "c"});
  ASSERT_EQ(api.post("/api/v1/namespaces/default/configmaps", config_map("b")).status, 201);
  for (const auto& [path, wanted] :
       {std::pair{maps, "a b c "}, {std::string{"/api/v1/configmaps"}, "b a b c "}}) {
    std::string seen, next;
    std::int64_t left = 0;
    do {
      const auto page = api.get(path + "?limit=1" + (next.empty() ? "" : "&continue=" + next));
      ASSERT_EQ(page.status, 200);
      if (!next.empty()) EXPECT_EQ(number_at(page.body, {"metadata", "remainingItemCount"}), left - 1);
      left = number_at(page.body, {"metadata", "remainingItemCount"});
      seen += names(page);
      next = token(page);
    } while (!next.empty());
    EXPECT_EQ(seen, wanted) << path;
  }
}

TEST(lists, end_when_the_last_page_is_full) {
  auto api = with_maps({"a", "b"});
  EXPECT_EQ(token(api.get(maps + "?limit=2")), "");
  EXPECT_NE(token(api.get(maps + "?limit=1")), "");
}

TEST(lists, cannot_go_on_after_compaction) {
  auto api = with_maps({"a", "b"});
  const auto first = api.get(maps + "?limit=1");
  api.post(maps, config_map("c"));
  api.on->raw_objects().compact();
  const auto next = api.get(maps + "?limit=1&continue=" + token(first));
  EXPECT_EQ(next.status, 410);
  EXPECT_EQ(next.reason(), "Expired");
}

TEST(lists, refuse_what_the_real_server_refuses) {
  auto api = with_maps({"a", "b"});
  EXPECT_EQ(api.get(maps + "?continue=nonsense").status, 400);
  for (const auto* token : {"v1:x", "v1:1", "v1:1:", "v1:1:2", "v1:1:2:", "v1:1::", "v1:1:x:n/a"})
    EXPECT_EQ(api.get(maps + "?continue=" + token).status, 400) << token;
  EXPECT_EQ(api.get(maps + "?resourceVersion=x").status, 400);
  EXPECT_EQ(api.get(maps + "?resourceVersionMatch=Exact").status, 400);
  const auto next = token(api.get(maps + "?limit=1"));
  EXPECT_EQ(api.get(maps + "?resourceVersion=5&continue=" + next).status, 400);
}

TEST(lists, of_a_version) {
  auto api = with_maps({"a"});
  const auto then = api.get(maps).version();
  api.post(maps, config_map("b"));
  EXPECT_EQ(names(api.get(maps + "?resourceVersion=0")), "a b ");
  EXPECT_EQ(names(api.get(maps + "?resourceVersion=" + then)), "a b ");
  EXPECT_EQ(names(api.get(maps + "?resourceVersionMatch=Exact&resourceVersion=" + then)), "a ");
  const auto future = api.get(maps + "?resourceVersion=99999");
  EXPECT_EQ(future.status, 504);
  EXPECT_EQ(future.reason(), "Timeout");
  EXPECT_EQ(text_at(array_at(future.body, {"details", "causes"})->front().as_object(), {"reason"}),
            "ResourceVersionTooLarge");
}

TEST(deletecollection, deletes_what_is_selected) {
  auto api = with_maps({"a", "b", "c"});
  api.merge(maps + "/b", R"({"metadata":{"labels":{"app":"z"}}})");
  EXPECT_EQ(names(api.remove(maps + "?labelSelector=app%3Da")), "a c ");
  EXPECT_EQ(names(api.get(maps)), "b ");
}

}  // namespace
}  // namespace egress::dev::test
