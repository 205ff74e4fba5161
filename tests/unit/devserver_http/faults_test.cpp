// What tests make go wrong, seen by a client.
#include <thread>

#include "runtime/devserver/fault_control.hpp"
#include "tests/unit/devserver_http/fixture.hpp"
#include "tests/unit/devserver_http/http_peer.hpp"

namespace egress::dev::test {
namespace {

struct faults : testing::Test {
  std::unique_ptr<dev_server> server = dev_server::start({}, nothing_set).value();
  fault_control control = server->faults();

  reply create(const std::string& name) {
    return ask(server->port(), "POST", exsvcs, {.body = external_service(name)});
  }
};

TEST_F(faults, answer_so_many_requests_and_then_no_more) {
  control.add(
      {.verb = "create", .plural = "externalservices", .times = 2, .status = 429, .retry_after = seconds{3}});
  for (int i = 0; i < 2; ++i) {
    const auto refused = create("a");
    EXPECT_EQ(refused.status, 429);
    EXPECT_EQ(refused.field("Retry-After"), "3");
    EXPECT_EQ(at(refused.json(), "/reason"), "TooManyRequests");
  }
  EXPECT_EQ(create("a").status, 201);
}

TEST_F(faults, hit_one_name_until_removed) {
  const auto number =
      control.add({.verb = "write", .plural = "externalservices", .name = "a", .status = 500});
  EXPECT_EQ(create("a").status, 500);
  EXPECT_EQ(create("b").status, 201);
  control.remove(number);
  EXPECT_EQ(create("a").status, 201);
}

TEST_F(faults, cut_before_and_after_the_write) {
  control.add({.verb = "create", .times = 1, .cut = true});
  EXPECT_EQ(create("a").status, 0);
  EXPECT_EQ(ask(server->port(), "GET", exsvcs + "/a").status, 404);
  control.add({.verb = "create", .times = 1, .cut = true, .after = true});
  EXPECT_EQ(create("a").status, 0);
  EXPECT_EQ(ask(server->port(), "GET", exsvcs + "/a").status, 200);
  control.add({.verb = "delete", .times = 1, .status = 500, .after = true});
  EXPECT_EQ(ask(server->port(), "DELETE", exsvcs + "/a").status, 500);
  EXPECT_EQ(ask(server->port(), "GET", exsvcs + "/a").status, 404);
}

TEST_F(faults, delay_an_answer_and_nobody_else) {
  control.add({.verb = "get", .times = 1, .delay = milliseconds{150}});
  const auto begun = std::chrono::steady_clock::now();
  std::thread slow([this] { EXPECT_EQ(ask(server->port(), "GET", exsvcs + "/a").status, 404); });
  EXPECT_EQ(create("b").status, 201);
  slow.join();
  EXPECT_GE(std::chrono::steady_clock::now() - begun, milliseconds{150});
}

TEST_F(faults, delays_do_not_hold_up_the_end) {
  control.add({.verb = "get", .delay = std::chrono::hours{1}});
  std::thread slow([this] { EXPECT_EQ(ask(server->port(), "GET", exsvcs + "/a").status, 0); });
  while (control.counted("get", "externalservices") == 0) std::this_thread::yield();
  server->stop();
  slow.join();
}

TEST_F(faults, end_watches_in_each_way) {
  for (const auto how : {watch_end::cut, watch_end::end, watch_end::gone}) {
    watching watch(server->port(), exsvcs + "?watch=true");
    ASSERT_EQ(watch.status(), 200);
    control.end_watches("externalservices", how);
    EXPECT_EQ(watch.next_short(), how == watch_end::gone ? "ERROR 410" : "");
    EXPECT_EQ(watch.next_short(), "");
    EXPECT_EQ(watch.complete(), how != watch_end::cut);
  }
  watching later(server->port(), exsvcs + "?watch=true");
  create("a");
  EXPECT_EQ(later.next_short(), "ADDED a") << "it ends those that ran only";
}

TEST_F(faults, stall_watches_until_they_no_longer_do) {
  watching watch(server->port(), exsvcs + "?watch=true");
  control.set_watches("externalservices", {.stall = true});
  create("a");
  EXPECT_TRUE(watch.silent_for(50));
  control.set_watches("externalservices", {});
  EXPECT_EQ(watch.next_short(), "ADDED a");
}

TEST_F(faults, drop_bookmarks) {
  dev_server_options often;
  often.bookmark_every = milliseconds{5};
  const auto other = dev_server::start(often, nothing_set).value();
  other->faults().set_watches("externalservices", {.drop_bookmarks = true});
  watching watch(other->port(), exsvcs + "?watch=true&allowWatchBookmarks=true");
  ASSERT_EQ(ask(other->port(), "POST", exsvcs, {.body = external_service("a")}).status, 201);
  EXPECT_EQ(watch.next_short(), "ADDED a");
  other->faults().set_watches("externalservices", {});
  EXPECT_EQ(watch.next_short(), "BOOKMARK");
}

TEST_F(faults, count_requests) {
  create("a");
  ask(server->port(), "GET", exsvcs);
  EXPECT_EQ(control.counted("create", "externalservices"), 1U);
  EXPECT_EQ(control.counted("list", "externalservices"), 1U);
  EXPECT_EQ(control.writes(), 1U);
  control.reset_counts();
  EXPECT_EQ(control.writes(), 0U);
}

TEST_F(faults, forget_the_history) {
  const auto then = server->run([](cluster& on, fault_table&) { return on.objects().version(); });
  create("a");
  control.compact_history();
  watching watch(server->port(), exsvcs + "?watch=true&resourceVersion=" + std::to_string(then));
  EXPECT_EQ(watch.next_short(), "ERROR 410");
}

}  // namespace
}  // namespace egress::dev::test
