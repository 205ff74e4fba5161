// A watch as lines of JSON, without HTTP or a clock.
#include "tests/unit/devserver_http/fixture.hpp"

namespace egress::dev::test {
namespace {

struct watched : asked_cluster {
  encoded_objects texts;
  steady_time when{};
  watch_faults faults;

  watch_session open(const std::string& query, const std::string& accept = "application/json") {
    const auto made = (*this)("GET", "/api/v1/configmaps?watch=true" + query, "", "", accept);
    EXPECT_TRUE(made.watch) << made.body;
    return {objects->objects(), texts, made.watch.value(), when};
  }
  std::string from_now() const { return "&resourceVersion=" + std::to_string(objects->objects().version()); }
  // "TYPE NAME" of each line.
  std::vector<std::string> events(watch_session& of) {
    std::vector<std::string> all;
    std::string rest = of.next(when, now, faults);
    while (!rest.empty()) {
      const auto line = parsed(rest.substr(0, rest.find('\n')));
      rest.erase(0, rest.find('\n') + 1);
      const auto name = at(line, "/object/metadata/name");
      all.push_back(at(line, "/type") + (name.empty() ? "" : " " + name));
    }
    return all;
  }
  void label(const std::string& name, const std::string& labels) {
    (*this)("PATCH", maps + "/" + name, R"({"metadata":{"labels":)" + labels + "}}",
            "application/merge-patch+json");
  }
};

using words = std::vector<std::string>;

TEST(watch, without_a_version_begins_with_what_there_is) {
  watched on;
  on("POST", maps, config_map("a"));
  for (const auto* const version : {"", "&resourceVersion=0"}) {
    auto session = on.open(version);
    EXPECT_EQ(on.events(session), words{"ADDED a"});
    EXPECT_EQ(on.events(session), words{});
  }
}

TEST(watch, tells_each_change_once) {
  watched on;
  auto session = on.open(on.from_now());
  on("POST", maps, config_map("a"));
  on.label("a", R"({"x":"y"})");
  on("DELETE", maps + "/a");
  EXPECT_EQ(on.events(session), (words{"ADDED a", "MODIFIED a", "DELETED a"}));
  EXPECT_EQ(on.events(session), words{});
}

TEST(watch, sees_objects_enter_and_leave_its_selector) {
  watched on;
  on("POST", maps, config_map("a", R"({"app":"x"})"));
  on("POST", maps, config_map("b", R"({"app":"y"})"));
  auto session = on.open(on.from_now() + "&labelSelector=app%3Dx");
  on.label("a", R"({"app":"y"})");
  on.label("b", R"({"app":"x"})");
  on.label("b", R"({"more":"z"})");
  on.label("a", R"({"more":"z"})");
  EXPECT_EQ(on.events(session), (words{"DELETED a", "ADDED b", "MODIFIED b"}));
}

TEST(watch, marks_the_end_of_the_initial_events) {
  watched on;
  on("POST", maps, config_map("a"));
  auto session =
      on.open("&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true");
  const auto text = session.next(on.when, on.now, {});
  EXPECT_NE(text.find(R"("k8s.io/initial-events-end":"true")"), std::string::npos) << text;
  EXPECT_LT(text.find("ADDED"), text.find("BOOKMARK"));
  const auto refused = on("GET", "/api/v1/configmaps?watch=1&sendInitialEvents=true");
  EXPECT_EQ(refused.status, 422);
}

TEST(watch, sends_bookmarks_in_time_and_at_its_end) {
  watched on;
  auto session = on.open(on.from_now() + "&allowWatchBookmarks=true&timeoutSeconds=90");
  on.when += seconds{59};
  EXPECT_EQ(on.events(session), words{});
  EXPECT_EQ(session.wake_at(), steady_time{} + seconds{60});
  on.when += seconds{1};
  EXPECT_EQ(on.events(session), words{"BOOKMARK"});
  EXPECT_EQ(session.wake_at(), steady_time{} + seconds{90});
  on.when += seconds{30};
  EXPECT_EQ(on.events(session), words{"BOOKMARK"});
  EXPECT_TRUE(session.finished());
}

TEST(watch, before_the_history_ends_with_an_expired_error) {
  watched on;
  const auto then = on.from_now();
  on("POST", maps, config_map("a"));
  on.objects->raw_objects().compact();
  auto session = on.open(then);
  const auto event = parsed(session.next(on.when, on.now, {}));
  EXPECT_EQ(at(event, "/type"), "ERROR");
  EXPECT_EQ(at(event, "/object/code"), "410");
  EXPECT_EQ(at(event, "/object/reason"), "Expired");
  EXPECT_TRUE(session.finished());
}

TEST(watch, sends_tables_with_columns_once) {
  watched on;
  on("POST", maps, config_map("a"));
  on("POST", maps, config_map("b"));
  auto session = on.open("", "application/json;as=Table;v=v1;g=meta.k8s.io");
  const auto text = session.next(on.when, on.now, {});
  const auto first = parsed(text.substr(0, text.find('\n'))),
             second = parsed(text.substr(text.find('\n') + 1));
  EXPECT_EQ(at(first, "/object/columnDefinitions/0/name"), "Name");
  EXPECT_EQ(at(second, "/object/columnDefinitions"), "[]");
  EXPECT_EQ(at(second, "/object/rows/0/cells/0"), "b");
}

TEST(watch, duplicates_reorders_and_stalls_when_told_to) {
  watched on;
  auto session = on.open(on.from_now());
  on("POST", maps, config_map("a"));
  on("POST", maps, config_map("b"));
  on.label("a", R"({"x":"y"})");
  on.faults.stall = true;
  EXPECT_EQ(on.events(session), words{});
  on.faults = {.reorder = true};
  EXPECT_EQ(on.events(session), (words{"ADDED b", "ADDED a", "MODIFIED a"}));
  on.faults = {.duplicate = true};
  on("DELETE", maps + "/b");
  EXPECT_EQ(on.events(session), (words{"DELETED b", "DELETED b"}));
}

}  // namespace
}  // namespace egress::dev::test
