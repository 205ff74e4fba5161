// Watches: events, bookmarks, the end of history.

#include "tests/unit/devserver/api_client.hpp"

namespace egress::dev::test {
namespace {

const auto maps = std::string{config_maps_path};

class watcher {
 public:
  watcher(api_client& api, const std::string& query, const std::string& accept = "") : api_(api) {
    auto started = api.call("GET", maps + "?watch=true" + query, "", "", accept);
    if (!started.raw.watch) throw std::runtime_error(started.raw.body);
    started.raw.watch->bookmark_every = milliseconds{60'000};
    session_.emplace(api.on->objects(), texts_, *started.raw.watch, now);
  }

  std::vector<json::object> read() {
    std::vector<json::object> events;
    const auto text = session_->next(now, api_.now, faults);
    for (std::size_t at = 0; at < text.size();) {
      const auto end = text.find('\n', at);
      events.push_back(object_from(text.substr(at, end - at)));
      at = end + 1;
    }
    return events;
  }
  // "ADDED a, BOOKMARK"
  std::string summary() {
    std::string all;
    for (const auto& one : read()) {
      const auto name = text_at(one, {"object", "metadata", "name"});
      all += (all.empty() ? "" : ", ") + std::string{text_at(one, {"type"})} + (name.empty() ? "" : " ") +
             std::string{name};
    }
    return all;
  }
  bool finished() const { return session_->finished(); }
  steady_time wake_at() const { return session_->wake_at(); }

  steady_time now{};
  watch_faults faults;

 private:
  api_client& api_;
  encoded_objects texts_;
  std::optional<watch_session> session_;
};

std::string from_now(const api_client& api) {
  return "&resourceVersion=" + std::to_string(api.on->objects().version());
}

TEST(watches, tell_changes_in_order) {
  api_client api;
  watcher w(api, from_now(api));
  api.post(maps, config_map("a"));
  api.merge(maps + "/a", R"({"data":{"k":"y"}})");
  api.post("/api/v1/namespaces/default/configmaps", config_map("elsewhere"));
  api.post(services_path, service("other-kind"));
  api.remove(maps + "/a");
  EXPECT_EQ(w.summary(), "ADDED a, MODIFIED a, DELETED a");
  EXPECT_EQ(w.summary(), "");
}

TEST(watches, carry_whole_objects) {
  api_client api;
  watcher w(api, from_now(api));
  const auto made = api.post(maps, config_map("a"));
  const auto events = w.read();
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].at("object"), json::value(made.body));
}

TEST(watches, begin_with_what_is_there_unless_told_from_where) {
  api_client api;
  api.post(maps, config_map("a"));
  watcher none(api, ""), zero(api, "&resourceVersion=0"), past(api, from_now(api));
  EXPECT_EQ(none.summary(), "ADDED a");
  EXPECT_EQ(zero.summary(), "ADDED a");
  EXPECT_EQ(past.summary(), "");
}

TEST(watches, tell_many_initial_events_a_piece_at_a_time) {
  api_client api;
  const auto large = R"({"data":{"k":")" + std::string(100'000, '.') + R"("}})";
  for (const auto* const name : {"a", "b", "c", "d"}) {
    api.post(maps, config_map(name));
    api.merge(maps + "/" + name, large);
  }
  watcher w(api, "&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true");
  EXPECT_EQ(w.summary(), "ADDED a, ADDED b, ADDED c");
  api.remove(maps + "/d");
  EXPECT_EQ(w.summary(), "ADDED d, BOOKMARK, DELETED d")
      << "as it was when it was asked, and what came since";
  EXPECT_EQ(w.summary(), "");
}

TEST(watches, mark_the_end_of_the_initial_events) {
  api_client api;
  api.post(maps, config_map("a"));
  const auto* const query =
      "&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true";
  watcher w(api, query);
  // Made after the request, before the first byte: behind the mark.
  api.post(maps, config_map("b"));
  const auto events = w.read();
  ASSERT_EQ(events.size(), 3U);
  EXPECT_EQ(text_at(events[1], {"type"}), "BOOKMARK");
  EXPECT_EQ(text_at(events[1], {"object", "metadata", "annotations", "k8s.io/initial-events-end"}), "true");
  EXPECT_EQ(text_at(events[2], {"object", "metadata", "name"}), "b");
  EXPECT_EQ(api.get(maps + "?watch=true&sendInitialEvents=true").status, 422);
}

TEST(watches, follow_selectors) {
  api_client api;
  watcher w(api, from_now(api) + "&labelSelector=app%3Da");
  api.post(maps, config_map("a"));
  api.merge(maps + "/a", R"({"metadata":{"labels":{"app":"b"}}})");
  api.merge(maps + "/a", R"({"data":{"k":"unseen"}})");
  api.merge(maps + "/a", R"({"metadata":{"labels":{"app":"a"}}})");
  api.remove(maps + "/a");
  EXPECT_EQ(w.summary(), "ADDED a, DELETED a, ADDED a, DELETED a");
}

TEST(watches, of_one_name) {
  api_client api;
  watcher w(api, from_now(api) + "&fieldSelector=metadata.name%3Db");
  api.post(maps, config_map("a"));
  api.post(maps, config_map("b"));
  EXPECT_EQ(w.summary(), "ADDED b");
}

TEST(watches, send_bookmarks_to_who_allows_them) {
  api_client api;
  watcher allows(api, from_now(api) + "&allowWatchBookmarks=true"), forbids(api, from_now(api));
  api.post(services_path, service("x"));
  EXPECT_EQ(allows.summary(), "");
  EXPECT_EQ(allows.wake_at(), steady_time{} + seconds{60});
  allows.now = forbids.now = allows.wake_at();
  const auto events = allows.read();
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(text_at(events[0], {"type"}), "BOOKMARK");
  EXPECT_EQ(text_at(events[0], {"object", "metadata", "resourceVersion"}),
            std::to_string(api.on->objects().version()));
  EXPECT_EQ(forbids.summary(), "");
}

TEST(watches, end_at_their_timeout_with_a_bookmark) {
  api_client api;
  watcher w(api, from_now(api) + "&allowWatchBookmarks=true&timeoutSeconds=5");
  EXPECT_EQ(w.summary(), "");
  EXPECT_EQ(w.wake_at(), steady_time{} + seconds{5});
  w.now += seconds{5};
  EXPECT_EQ(w.summary(), "BOOKMARK");
  EXPECT_TRUE(w.finished());
}

TEST(watches, from_before_the_history_get_410) {
  api_client api;
  const auto past = from_now(api);
  api.post(maps, config_map("a"));
  api.on->raw_objects().compact();
  watcher w(api, past);
  const auto events = w.read();
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(text_at(events[0], {"type"}), "ERROR");
  EXPECT_EQ(number_at(events[0], {"object", "code"}), 410);
  EXPECT_EQ(text_at(events[0], {"object", "reason"}), "Expired");
  EXPECT_TRUE(w.finished());
}

TEST(watches, that_fall_behind_get_410) {
  api_client api({.history = 5});
  watcher w(api, from_now(api));
  for (int i = 0; i < 6; ++i) api.post(maps, config_map("m" + std::to_string(i)));
  EXPECT_EQ(w.summary(), "ERROR");
}

TEST(watches, of_the_future_are_refused) {
  api_client api;
  EXPECT_EQ(api.get(maps + "?watch=true&resourceVersion=99999").status, 504);
}

TEST(watches, show_tables) {
  api_client api;
  watcher w(api, from_now(api), "application/json;as=Table;v=v1;g=meta.k8s.io,application/json");
  api.post(maps, config_map("a"));
  api.post(maps, config_map("b"));
  const auto events = w.read();
  ASSERT_EQ(events.size(), 2U);
  EXPECT_EQ(text_at(events[0], {"object", "kind"}), "Table");
  EXPECT_FALSE(array_at(events[0], {"object", "columnDefinitions"})->empty());
  EXPECT_TRUE(array_at(events[1], {"object", "columnDefinitions"})->empty());
  const auto& row = array_at(events[1], {"object", "rows"})->front().as_object();
  EXPECT_EQ(array_at(row, {"cells"})->front(), json::value("b"));
}

TEST(watch_faults, stall_duplicate_and_drop) {
  api_client api;
  watcher w(api, from_now(api) + "&allowWatchBookmarks=true&timeoutSeconds=100");
  w.faults.stall = true;
  api.post(maps, config_map("a"));
  EXPECT_EQ(w.summary(), "");
  w.faults = {.duplicate = true};
  EXPECT_EQ(w.summary(), "ADDED a, ADDED a");
  w.faults = {.drop_bookmarks = true};
  w.now += seconds{60};
  EXPECT_EQ(w.summary(), "");
}

TEST(watch_faults, reorder_objects_but_not_the_events_of_one) {
  api_client api;
  watcher w(api, from_now(api));
  api.post(maps, config_map("a"));
  api.post(maps, config_map("b"));
  api.merge(maps + "/a", R"({"data":{"k":"y"}})");
  w.faults.reorder = true;
  EXPECT_EQ(w.summary(), "ADDED b, ADDED a, MODIFIED a");
}

}  // namespace
}  // namespace egress::dev::test
