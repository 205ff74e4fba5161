// What the queue says, as the metrics that alerts and dashboards go by.

#include "runtime/program/observe.hpp"

#include <gmock/gmock.h>

#include "actors/metrics/registry.hpp"

namespace egress {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;

struct observed_queue : ::testing::Test {
  // What a scrape has of how many runs ended this way.
  std::string runs(const std::string& result, int count) {
    return "controller_runtime_reconcile_total{controller=\"externalservice\",result=\"" + result + "\"} " +
           std::to_string(count) + "\n";
  }
  std::string errors(int count) {
    return "controller_runtime_reconcile_errors_total{controller=\"externalservice\"} " +
           std::to_string(count) + "\n";
  }

  metrics::registry registry;
  operator_facts facts;
  dispatcher_observer observe = observe_queue(registry, facts);
};

TEST_F(observed_queue, counts_runs_by_how_they_ended) {
  const auto ended = [&](bool success, std::optional<milliseconds> requeue_after, bool status_later,
                         bool terminal = false) {
    observe.done(milliseconds{1}, {success, requeue_after, status_later, milliseconds{0}, terminal});
  };
  for (int i = 0; i < 2; ++i) ended(true, std::nullopt, false);
  ended(true, std::nullopt, false, true);
  ended(false, std::nullopt, false);
  ended(false, milliseconds{5}, true);
  ended(true, std::nullopt, true);
  ended(true, milliseconds{5}, false);
  const auto page = registry.text();
  EXPECT_THAT(page, HasSubstr(runs("success", 3)));
  EXPECT_THAT(page, HasSubstr(runs("error", 2)));
  EXPECT_THAT(page, HasSubstr(runs("requeue", 1)));
  EXPECT_THAT(page, HasSubstr(runs("requeue_after", 1)));
  EXPECT_THAT(page, HasSubstr(errors(2)));
  EXPECT_THAT(
      page,
      HasSubstr("controller_runtime_terminal_reconcile_errors_total{controller=\"externalservice\"} 1\n"));
}

TEST_F(observed_queue, counts_what_was_added_and_tried_again_since_the_last_look) {
  reconciler::queue_metrics seen;
  seen.adds = 3;
  seen.retries = 1;
  observe.queue(seen);
  seen.adds = 5;
  seen.depth = 4;
  observe.queue(seen);
  const auto page = registry.text();
  const std::string queue = R"({controller="externalservice",name="externalservice"})";
  EXPECT_THAT(page, HasSubstr("workqueue_adds_total" + queue + " 5\n"));
  EXPECT_THAT(page, HasSubstr("workqueue_retries_total" + queue + " 1\n"));
  EXPECT_THAT(page, HasSubstr("workqueue_depth" + queue + " 4\n"));
  EXPECT_EQ(facts.queue_depth(), 4u);
}

}  // namespace
}  // namespace egress
