#include "runtime/devserver/store.hpp"

#include <gtest/gtest.h>

#include "runtime/devserver/tree.hpp"

namespace egress::dev {
namespace {

const resource& maps() {
  return kinds::config_maps();
}

json::object named(const std::string& name, int value) {
  return {{"metadata", {{"name", name}, {"namespace", "n"}}}, {"data", value}};
}

std::vector<std::string> names(const std::vector<stored>& of) {
  std::vector<std::string> all;
  for (const auto& one : of) all.push_back(name_of(*one));
  return all;
}

TEST(store, counts_one_version_for_all_kinds) {
  store s;
  const auto first = s.put(maps(), {"n", "a"}, named("a", 1));
  const auto second = s.put(kinds::services(), {"n", "a"}, named("a", 1));
  EXPECT_EQ(std::stoull(version_of(*first)) + 1, std::stoull(version_of(*second)));
  EXPECT_EQ(version_of(*second), std::to_string(s.version()));
}

TEST(store, lists_by_namespace_in_the_order_of_keys) {
  store s;
  s.put(maps(), {"n", "b"}, named("b", 1));
  s.put(maps(), {"n", "a"}, named("a", 1));
  s.put(maps(), {"m", "z"}, named("z", 1));
  s.put(maps(), {"nn", "c"}, named("c", 1));
  EXPECT_EQ(names(s.list(maps(), "n")), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(names(s.list(maps(), "")), (std::vector<std::string>{"z", "a", "b", "c"}));
  EXPECT_TRUE(s.list(kinds::services(), "").empty());
}

TEST(store, tells_the_changes_of_a_kind_after_a_version) {
  store s;
  s.put(maps(), {"n", "a"}, named("a", 1));
  const auto from = s.version();
  s.put(kinds::services(), {"n", "x"}, named("x", 1));
  s.put(maps(), {"n", "a"}, named("a", 2));
  s.remove(maps(), {"n", "a"});
  const auto changes = s.changes_after(from, maps());
  ASSERT_TRUE(changes);
  ASSERT_EQ(changes->size(), 2U);
  EXPECT_EQ((*changes)[0]->what, change_kind::modified);
  EXPECT_EQ((*changes)[0]->before->at("data"), 1);
  EXPECT_EQ((*changes)[1]->what, change_kind::deleted);
  // The last state comes with the version of the deletion.
  EXPECT_EQ(version_of(*(*changes)[1]->after), std::to_string(s.version()));
  EXPECT_TRUE(s.changes_after(s.version(), maps())->empty());
}

TEST(store, shows_the_state_of_an_earlier_version) {
  store s;
  s.put(maps(), {"n", "a"}, named("a", 1));
  s.put(maps(), {"n", "b"}, named("b", 1));
  const auto then = s.version();
  s.put(maps(), {"n", "a"}, named("a", 2));
  s.remove(maps(), {"n", "b"});
  s.put(maps(), {"n", "c"}, named("c", 1));
  const auto past = s.list_at(then, maps(), "n");
  ASSERT_TRUE(past);
  EXPECT_EQ(names(*past), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(past->front()->at("data"), 1);
  EXPECT_EQ(names(*s.list_at(s.version(), maps(), "n")), (std::vector<std::string>{"a", "c"}));
  EXPECT_FALSE(s.list_at(s.version() + 1, maps(), "n"));
}

TEST(store, forgets_the_oldest_changes) {
  store s(3);
  const auto start = s.version();
  for (int i = 0; i < 5; ++i) s.put(maps(), {"n", "a"}, named("a", i));
  EXPECT_FALSE(s.changes_after(start, maps()));
  EXPECT_FALSE(s.changes_after(start + 1, maps()));
  ASSERT_TRUE(s.changes_after(start + 2, maps()));
  EXPECT_EQ(s.changes_after(start + 2, maps())->size(), 3U);
  EXPECT_FALSE(s.list_at(start + 1, maps(), ""));
  EXPECT_EQ(s.list_at(start + 2, maps(), "")->front()->at("data"), 1);
}

TEST(store, compacts_on_demand) {
  store s;
  const auto start = s.version();
  s.put(maps(), {"n", "a"}, named("a", 1));
  s.compact();
  EXPECT_FALSE(s.changes_after(start, maps()));
  EXPECT_TRUE(s.changes_after(s.version(), maps())->empty());
  s.put(maps(), {"n", "a"}, named("a", 2));
  EXPECT_EQ(s.changes_after(s.version() - 1, maps())->size(), 1U);
}

TEST(store, removing_nothing_changes_nothing) {
  store s;
  const auto before = s.version();
  EXPECT_EQ(s.remove(maps(), {"n", "a"}), nullptr);
  EXPECT_EQ(s.version(), before);
}

}  // namespace
}  // namespace egress::dev
