#include "actors/metrics/metrics_actor.hpp"

#include <gtest/gtest.h>

#include <caf/send.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include "runtime/http/server.hpp"
#include "tests/actor/virtual_time.hpp"

namespace egress {
namespace {

health_report report(const std::string& part, bool ready, const std::string& waits_for = "") {
  return {part, ready, waits_for};
}

TEST(health_of, waits_for_parts_that_have_not_reported_yet) {
  const auto state = health_of({{"dns", report("dns", true)}}, {{"dns", "dispatcher"}, {}});
  const auto answer = metrics::judge("readyz", state.ready, false);
  EXPECT_FALSE(answer.ok);
  EXPECT_NE(answer.body.find("dispatcher"), std::string::npos);
}

TEST(health_of, says_what_a_part_waits_for) {
  const auto state = health_of({{"dns", report("dns", false, "the first lists")}}, {{"dns"}, {}});
  EXPECT_NE(metrics::judge("readyz", state.ready, false).body.find("the first lists"), std::string::npos);
}

TEST(health_of, does_not_mind_parts_that_may_wait) {
  const health_board board{{"dns", report("dns", true)}, {"informer", report("informer", false, "a server")}};
  EXPECT_FALSE(metrics::judge("readyz", health_of(board, {{"dns"}, {}}).ready, false).ok);
  EXPECT_TRUE(metrics::judge("readyz", health_of(board, {{"dns"}, {"informer"}}).ready, false).ok);
}

TEST(health_of, is_alive_while_it_is_not_ready) {
  const auto state = health_of({}, {{"dns"}, {}});
  EXPECT_TRUE(metrics::judge("healthz", state.live, false).ok);
}

TEST(readiness, keeps_who_was_ready_once_though_a_list_is_missing_later) {
  readiness ready{{{"dns", "informer"}, {}}, {{"dns"}, {"informer"}}};
  const auto ok = [&ready](const health_board& board) {
    return metrics::judge("readyz", ready.of(board).ready, false).ok;
  };
  const health_board whole{{"dns", report("dns", true)}, {"informer", report("informer", true)}};
  health_board waits = whole;
  waits["informer"] = report("informer", false, "its definition");
  EXPECT_FALSE(ok(waits)) << "nothing is known yet";
  EXPECT_TRUE(ok(whole));
  EXPECT_TRUE(ok(waits));
  waits["dns"] = report("dns", false, "a table");
  EXPECT_FALSE(ok(waits));
  auto ends = whole;
  ends["process"] = report("process", false, "the shutdown");
  EXPECT_FALSE(ok(ends));
}

TEST(metrics_actor, publishes_reports_and_a_successor_goes_on_with_them) {
  test::virtual_system world;
  const auto board = std::make_shared<published_board>();
  int served = 0;
  const metrics_config config{board, [&served]() -> std::unique_ptr<http::server> {
                                ++served;
                                return nullptr;
                              }};
  auto first = world.system().spawn(metrics_behavior, config);
  caf::anon_send(first, payload<health_report>{std::make_shared<health_report>(report("dns", true))});
  world.settle();
  EXPECT_TRUE(board->get()->at("dns").ready);
  caf::anon_send_exit(first, caf::exit_reason::kill);
  auto second = world.system().spawn(metrics_behavior, config);
  caf::anon_send(
      second, payload<health_report>{std::make_shared<health_report>(report("dispatcher", false, "lists"))});
  world.settle();
  EXPECT_EQ(served, 2);
  EXPECT_EQ(board->get()->size(), 2u);
  caf::anon_send_exit(second, caf::exit_reason::kill);
  world.settle();
}

}  // namespace
}  // namespace egress
