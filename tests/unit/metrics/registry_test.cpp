#include "actors/metrics/registry.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <prometheus/metric_family.h>

#include <map>
#include <set>
#include <sstream>
#include <thread>

#include "tests/unit/metrics/promtool.hpp"

namespace egress::metrics {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::Not;

void fill(registry& into) {
  into.reconciled(reconcile_result::success, 20ms, false);
  into.reconciled(reconcile_result::error, 2s, true);
  into.set_max_concurrent_reconciles(16);
  into.queue_added();
  into.queue_retried();
  into.left_queue(1us);
  into.worked(3ms);
  into.set_queue({7, 2, 1.5s, 1s});
  into.requested("200", "GET", "10.0.0.1:443", 4ms);
  into.requested("<error>", "PATCH", "10.0.0.1:443", 31s);
  into.set_leader("egress-operator", true);
  into.programmed(5ms);
  into.set_process({1.5, 1e7, 2e8, 9, 1024, 1.7e9});
  into.set_gateways({3, 2, 1});
  into.set_hijack_table(3, 12s);
  into.actor_restarted("dns");
  into.set_part_ready("informer/Service", false);
  into.set_part_ready("dns", false);
  into.set_part_ready("dns", true);
  into.mailbox_of("dispatcher")(4);
  into.field_ignored("Deployment:/spec/template/x");
}

// Sample lines by name with labels; fails on anything that is not the text format.
std::map<std::string, double> parsed(const std::string& text) {
  std::map<std::string, double> samples;
  std::set<std::string> families;
  std::istringstream lines{text};
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("# TYPE ")) {
      EXPECT_TRUE(families.insert(line.substr(7, line.find(' ', 7) - 7)).second) << "twice: " << line;
    } else if (!line.starts_with("# HELP ")) {
      const auto blank = line.rfind(' ');
      if (blank == std::string::npos) {
        ADD_FAILURE() << line;
        continue;
      }
      char* end = nullptr;
      const double value = std::strtod(line.c_str() + blank + 1, &end);
      EXPECT_EQ(*end, '\0') << line;
      EXPECT_TRUE(samples.emplace(line.substr(0, blank), value).second) << "twice: " << line;
    }
  }
  return samples;
}

TEST(Registry, ObservationsComeOutUnderTheNamesThatDashboardsKnow) {
  registry metrics;
  fill(metrics);
  const auto samples = parsed(metrics.text());
  const std::pair<const char*, double> expected[] = {
      {R"(controller_runtime_reconcile_total{controller="externalservice",result="success"})", 1},
      {R"(controller_runtime_reconcile_total{controller="externalservice",result="requeue_after"})", 0},
      {R"(controller_runtime_reconcile_errors_total{controller="externalservice"})", 1},
      {R"(controller_runtime_terminal_reconcile_errors_total{controller="externalservice"})", 1},
      {R"(controller_runtime_reconcile_time_seconds_bucket{controller="externalservice",le="0.025"})", 1},
      {R"(controller_runtime_reconcile_time_seconds_bucket{controller="externalservice",le="+Inf"})", 2},
      {R"(controller_runtime_max_concurrent_reconciles{controller="externalservice"})", 16},
      {R"(controller_runtime_active_workers{controller="externalservice"})", 2},
      {R"(workqueue_depth{controller="externalservice",name="externalservice"})", 7},
      {R"(workqueue_adds_total{controller="externalservice",name="externalservice"})", 1},
      {R"(workqueue_queue_duration_seconds_bucket{controller="externalservice",name="externalservice",le="9.999999999999999e-06"})",
       1},
      {R"(workqueue_unfinished_work_seconds{controller="externalservice",name="externalservice"})", 1.5},
      {R"(rest_client_requests_total{code="<error>",host="10.0.0.1:443",method="PATCH"})", 1},
      {R"(rest_client_request_duration_seconds_bucket{host="10.0.0.1:443",verb="GET",le="0.005"})", 1},
      {R"(leader_election_master_status{name="egress-operator"})", 1},
      {R"(coredns_kubernetes_dns_programming_duration_seconds_bucket{service_kind="cluster_ip",le="0.004"})",
       0},
      {R"(coredns_kubernetes_dns_programming_duration_seconds_bucket{service_kind="cluster_ip",le="0.008"})",
       1},
      {R"(coredns_kubernetes_dns_programming_duration_seconds_sum{service_kind="cluster_ip"})", 0.005},
      {"process_cpu_seconds_total", 1.5},
      {"process_open_fds", 9},
      {R"(egress_operator_gateways{hijack="waiting-for-pods"})", 2},
      {"egress_operator_hijack_table_names", 3},
      {"egress_operator_hijack_table_age_seconds", 12},
      {R"(egress_operator_actor_restarts_total{actor="dns"})", 1},
      {R"(egress_operator_part_ready{part="informer/Service"})", 0},
      {R"(egress_operator_part_ready{part="dns"})", 1},
      {R"(egress_operator_actor_mailbox_messages{actor="dispatcher"})", 4},
      {R"(egress_operator_ignored_fields_total{field="Deployment:/spec/template/x"})", 1}};
  for (const auto& [name, value] : expected) {
    ASSERT_TRUE(samples.contains(name)) << name;
    EXPECT_EQ(samples.at(name), value) << name;
  }
}

TEST(Registry, CpuTimeIsACounter) {
  registry metrics;
  EXPECT_THAT(metrics.text(), HasSubstr("# TYPE process_cpu_seconds_total counter\n"));
}

struct one_family : prometheus::Collectable {
  std::vector<prometheus::MetricFamily> Collect() const override {
    prometheus::ClientMetric metric;
    metric.counter.value = 5;
    return {{"a_total", "first of all", prometheus::MetricType::Counter, {metric}}};
  }
};

TEST(Registry, OtherSourcesAreAskedAtEachScrape) {
  registry metrics;
  EXPECT_THAT(metrics.text(), Not(HasSubstr("a_total 5")));
  metrics.add(std::make_shared<one_family>());
  EXPECT_TRUE(metrics.text().starts_with("# HELP a_total first of all\n"));
}

TEST(Registry, AnyThreadMayObserveWhileAnotherScrapes) {
  registry metrics;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i)
      threads.emplace_back([&] {
        for (int j = 0; j < 200; ++j) fill(metrics);
      });
    for (int i = 0; i < 20; ++i) parsed(metrics.text());
  }
  EXPECT_EQ(
      parsed(metrics.text()).at(R"(controller_runtime_reconcile_errors_total{controller="externalservice"})"),
      800);
}

TEST(Registry, PromtoolFindsNothing) {
  if (!testing::has_promtool()) GTEST_SKIP() << "promtool is not installed";
  registry metrics;
  fill(metrics);
  EXPECT_EQ(testing::promtool_says(metrics.text()), "");
  EXPECT_NE(testing::promtool_says("no metric"), "");
}

}  // namespace
}  // namespace egress::metrics
