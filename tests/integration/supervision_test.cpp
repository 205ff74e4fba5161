// The operator in one process with its API server, while its actors are killed under DNS load.

#include <gtest/gtest.h>

#include <thread>

#include "runtime/kube/json_text.hpp"
#include "runtime/kube/kubeconfig.hpp"
#include "runtime/program/operator.hpp"
#include "tests/integration/in_process.hpp"
#include "tests/support/dns_load.hpp"
#include "tests/support/sanitized.hpp"

namespace egress {
namespace {

using namespace std::chrono_literals;

// The load and the operator share two cores; under a sanitizer neither can do the full rate.
constexpr unsigned rate = test::sanitized ? 2'000 : 20'000;

struct supervision : ::testing::Test {
  void SetUp() override {
    for (int i = 0; i < 3; ++i)
      world.apply("es-" + std::to_string(i), "host-" + std::to_string(i) + ".example");
    ASSERT_TRUE(test::eventually(
        [this] { return world.ready("es-0") && world.ready("es-1") && world.ready("es-2"); }));
    ASSERT_TRUE(test::eventually([this] { return !address().empty() && answered(); }));
  }
  std::string address() { return world.cluster_ip("es-0"); }
  bool answered() { return answered("host-0.example", address()); }
  bool answered(const std::string& name, const std::string& with) {
    const auto one = test::ask_at_rate(world.dns_port(), name, with, 8, 1s);
    return one.answered == one.sent && one.wrong == 0;
  }

  test::in_process_world world;
};

TEST_F(supervision, twenty_kills_in_ten_seconds_lose_no_hijacked_query) {
  int killed = 0;
  // Nobody is upstream: each is to be told so.
  test::load_result forwarded;
  std::thread others(
      [&] { forwarded = test::ask_at_rate(world.dns_port(), "elsewhere.example", "", 50, 10s); });
  std::thread killer([&] {
    const auto ids = world.running().actor_ids();
    for (int i = 0; i < 20; ++i) {
      std::this_thread::sleep_for(475ms);
      // Every actor in turn, so that none is past its limit and the dns actor has its share.
      killed += world.running().kill(ids[static_cast<std::size_t>(i) % ids.size()]) ? 1 : 0;
    }
  });
  const auto seen = test::ask_at_rate(world.dns_port(), "host-0.example", address(), rate, 10s);
  killer.join();
  others.join();
  RecordProperty("sent", std::to_string(seen.sent));
  RecordProperty("p50_us", std::to_string(seen.p50.count()));
  RecordProperty("p999_us", std::to_string(seen.p999.count()));
  RecordProperty("worst_us", std::to_string(seen.worst.count()));
  std::printf("sent %lu answered %lu wrong %lu p50 %ld us p99.9 %ld us worst %ld us (sender late %lu)\n",
              seen.sent, seen.answered, seen.wrong, static_cast<long>(seen.p50.count()),
              static_cast<long>(seen.p999.count()), static_cast<long>(seen.worst.count()), seen.late_sends);
  EXPECT_EQ(killed, 20);
  EXPECT_EQ(forwarded.answered, forwarded.sent) << "SERVFAIL at worst";
  EXPECT_EQ(seen.answered, seen.sent);
  EXPECT_EQ(seen.wrong, 0u) << "an answer that is not the gateway's address";
}

TEST_F(supervision, the_operator_goes_on_after_every_actor_was_killed_once) {
  const auto ids = world.running().actor_ids();
  for (const auto& id : ids) EXPECT_TRUE(world.running().kill(id)) << id;
  world.apply("later", "later.example");
  EXPECT_TRUE(test::eventually([this] { return world.ready("later"); }));
  EXPECT_TRUE(test::eventually([this] { return answered("later.example", world.cluster_ip("later")); }));
  EXPECT_TRUE(test::eventually([this] { return world.page("/readyz").starts_with("HTTP/1.1 200"); }));
  const auto metrics = world.page("/metrics");
  for (const auto& id : ids)
    EXPECT_TRUE(metrics.contains("egress_operator_actor_restarts_total{actor=\"" + id + "\"} 1\n")) << id;
}

TEST_F(supervision, without_its_supervisor_the_process_ends) {
  EXPECT_TRUE(world.running().kill("supervisor"));
  EXPECT_EQ(world.running().wait(), 1);
}

TEST_F(supervision, a_deleted_child_comes_back_and_a_deleted_external_service_takes_its_children_along) {
  world.remove("services", "es-1");
  EXPECT_TRUE(test::eventually([this] { return !world.cluster_ip("es-1").empty(); }));
  world.remove_external_service("es-1");
  EXPECT_TRUE(test::eventually([this] { return world.cluster_ip("es-1").empty(); }));
}

TEST_F(supervision, an_orderly_shutdown_ends_with_0) {
  world.running().shutdown();
  EXPECT_EQ(world.running().wait(), 0);
}

}  // namespace
}  // namespace egress
