// The operator in one process with its API server, while its actors are killed under DNS load.

#include <gtest/gtest.h>

#include <random>
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
  bool answered() {
    const auto one = test::ask_at_rate(world.dns_port(), "host-0.example", address(), 8, 1s);
    return one.answered == one.sent && one.wrong == 0;
  }

  test::in_process_world world;
};

TEST_F(supervision, twenty_kills_in_ten_seconds_lose_no_hijacked_query) {
  std::thread killer([this] {
    std::mt19937 random(7);
    const auto ids = world.running().actor_ids();
    for (int i = 0; i < 20; ++i) {
      std::this_thread::sleep_for(475ms);
      // Every actor in turn, so that none is past its limit and the dns actor has its share.
      world.running().kill(ids[static_cast<std::size_t>(i) % ids.size()]);
    }
  });
  const auto seen = test::ask_at_rate(world.dns_port(), "host-0.example", address(), rate, 10s);
  killer.join();
  RecordProperty("sent", std::to_string(seen.sent));
  RecordProperty("p50_us", std::to_string(seen.p50.count()));
  RecordProperty("p999_us", std::to_string(seen.p999.count()));
  RecordProperty("worst_us", std::to_string(seen.worst.count()));
  std::printf("sent %lu answered %lu wrong %lu p50 %ld us p99.9 %ld us worst %ld us (sender late %lu)\n",
              seen.sent, seen.answered, seen.wrong, static_cast<long>(seen.p50.count()),
              static_cast<long>(seen.p999.count()), static_cast<long>(seen.worst.count()), seen.late_sends);
  EXPECT_EQ(seen.answered, seen.sent);
  EXPECT_EQ(seen.wrong, 0u) << "an answer that is not the gateway's address";
}

TEST_F(supervision, the_operator_goes_on_after_every_actor_was_killed_once) {
  for (const auto& id : world.running().actor_ids()) world.running().kill(id);
  world.apply("later", "later.example");
  EXPECT_TRUE(test::eventually([this] { return world.ready("later"); }));
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
