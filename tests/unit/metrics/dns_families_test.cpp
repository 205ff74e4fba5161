#include "actors/metrics/dns_families.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actors/metrics/exposition.hpp"
#include "actors/metrics/registry.hpp"
#include "tests/unit/metrics/promtool.hpp"

namespace egress::metrics {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// Two workers with a little of everything.
struct two_workers {
  std::shared_ptr<dns::worker_counters> one = std::make_shared<dns::worker_counters>();
  std::shared_ptr<dns::worker_counters> other = std::make_shared<dns::worker_counters>();
  dns::worker_counters &first = *one, &second = *other;

  two_workers() {
    first.requests[0][0][dns::type_bucket(1)].add(3);
    second.requests[0][0][dns::type_bucket(1)].add(4);
    second.requests[1][1][dns::type_bucket(65)].add();
    first.responses[0][0].add(7);
    second.responses[23][1].add();
    first.durations.add(dns::duration_bounds, 250'000);
    second.durations.add(dns::duration_bounds, 250'001);
    second.durations.add(dns::duration_bounds, 60'000'000'000);
    first.request_sizes[0].add(dns::size_bounds, 64);
    first.response_sizes[1].add(dns::size_bounds, 512);
    first.forward_requests.add(2);
    first.forward_responses[3].add(2);
    first.hijacked_aliases.add(2);
    second.hijacked_aliases.add(1);
    first.forward_durations.add(dns::duration_bounds, 1'000'000);
    first.responses[0][3].add(5);
    first.cache_requests.add(10);
    second.cache_requests.add(3);
    first.cache_hits[0].add(6);
    second.cache_hits[1].add(2);
    first.cache_misses.add(5);
    first.cache_prefetches.add(4);
    first.cache_served_stale.add(3);
    first.cache_evictions[1].add(8);
    first.cache_entries[0] = 100;
    second.cache_entries[0] = 11;
    second.cache_bytes = 4096;
    first.tcp_open = 2;
    second.tcp_open = 3;
  }

  dns_counters all() const { return {one, other}; }
};

constexpr const char* common = R"(server="dns://:5353",zone=".",view="")";

TEST(DnsFamilies, HaveEachUpstreamSummedOverTheWorkers) {
  const two_workers workers;
  for (auto* worker : {&workers.first, &workers.second}) {
    const auto upstream = worker->upstreams.of("10.0.0.10:53");
    upstream->durations[3].add(dns::duration_bounds, 250'000);
    upstream->healthcheck_failures.add(2);
    worker->forward_healthcheck_broken.add();
  }
  workers.second.upstreams.of("10.0.0.10:53")->looped = true;
  workers.second.upstreams.of("[fd00::10]:853");
  const auto text = to_text(dns_families(workers.all(), "dns://:5353"));
  for (
      const std::string_view line :
      {R"(coredns_proxy_request_duration_seconds_bucket{proxy_name="forward",to="10.0.0.10:53",rcode="NXDOMAIN",le="0.00025"} 2)",
       R"(coredns_proxy_request_duration_seconds_sum{proxy_name="forward",to="10.0.0.10:53",rcode="NXDOMAIN"} 0.0005)",
       R"(coredns_forward_healthcheck_failures_total{to="10.0.0.10:53"} 4)",
       R"(coredns_forward_healthcheck_failures_total{to="[fd00::10]:853"} 0)",
       R"(coredns_proxy_healthcheck_failures_total{proxy_name="forward",to="10.0.0.10:53"} 4)",
       R"(coredns_forward_healthcheck_broken_total 2)",
       R"(egress_operator_dns_upstream_looped{to="10.0.0.10:53"} 1)",
       R"(egress_operator_dns_upstream_looped{to="[fd00::10]:853"} 0)"})
    EXPECT_THAT(text, HasSubstr(fmt::format("\n{}\n", line)));
  EXPECT_THAT(text, Not(HasSubstr("rcode=\"NOERROR\"} 0")));
}

TEST(DnsFamilies, AreSumsOverTheWorkersUnderCoreDnssNames) {
  const two_workers workers;
  const auto text = to_text(dns_families(workers.all(), "dns://:5353"));
  const auto has = [&](std::string_view name, std::string_view more, std::string_view value) {
    EXPECT_THAT(text, HasSubstr(fmt::format("\n{}{{{}{}}} {}\n", name, common, more, value)));
  };
  has("coredns_dns_requests_total", R"(,proto="udp",family="1",type="A")", "7");
  has("coredns_dns_requests_total", R"(,proto="tcp",family="2",type="HTTPS")", "1");
  has("coredns_dns_responses_total", R"(,rcode="NOERROR",plugin="egressoperator")", "7");
  has("coredns_dns_responses_total", R"(,rcode="RCODE23",plugin="forward")", "1");
  has("coredns_dns_request_size_bytes_bucket", R"(,proto="udp",le="100")", "1");
  has("coredns_dns_response_size_bytes_sum", R"(,proto="tcp")", "512");
  EXPECT_THAT(text, HasSubstr("\ncoredns_forward_requests_total 2\n"));
  EXPECT_THAT(text, HasSubstr("\ncoredns_forward_responses_total{rcode=\"NXDOMAIN\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("\negress_operator_dns_hijacked_aliases_total 3\n"));
  EXPECT_THAT(text, HasSubstr("\negress_operator_dns_tcp_open 5\n"));
}

TEST(DnsFamilies, TheCachesAreThoseOfCoreDns) {
  const two_workers workers;
  const auto text = to_text(dns_families(workers.all(), "dns://:5353"));
  const auto has = [&](std::string_view name, std::string_view type, int value) {
    const auto between = type.empty() ? std::string() : fmt::format("type=\"{}\",", type);
    EXPECT_THAT(text, HasSubstr(fmt::format(
                          "\ncoredns_cache_{}{{server=\"dns://:5353\",{}zones=\".\",view=\"\"}} {}\n", name,
                          between, value)));
  };
  has("entries", "success", 111);
  has("entries", "denial", 0);
  has("hits_total", "success", 6);
  has("hits_total", "denial", 2);
  has("requests_total", "", 13);
  has("misses_total", "", 5);
  has("prefetch_total", "", 4);
  has("served_stale_total", "", 3);
  has("evictions_total", "denial", 8);
  EXPECT_THAT(text, HasSubstr("\negress_operator_dns_cache_bytes 4096\n"));
  EXPECT_THAT(text,
              HasSubstr(fmt::format(
                  "\ncoredns_dns_responses_total{{{},rcode=\"NOERROR\",plugin=\"cache\"}} 5\n", common)));
}

TEST(DnsFamilies, DurationsAreSecondsAndCumulative) {
  const two_workers workers;
  const auto text = to_text(dns_families(workers.all(), "dns://:5353"));
  const auto bucket = [&](std::string_view bound, int count) {
    EXPECT_THAT(text,
                HasSubstr(fmt::format("coredns_dns_request_duration_seconds_bucket{{{},le=\"{}\"}} {}\n",
                                      common, bound, count)));
  };
  bucket("0.00025", 1);
  bucket("0.0005", 2);
  bucket("8.192", 2);
  bucket("+Inf", 3);
}

TEST(DnsFamilies, WhatNeverHappenedHasNoLine) {
  const auto text = to_text(dns_families({}, "dns://:5353"));
  EXPECT_THAT(text, Not(HasSubstr("coredns_dns_requests_total")));
  EXPECT_THAT(text, HasSubstr("egress_operator_dns_dropped_total 0\n"));
}

TEST(DnsFamilies, AreAskedAtEachScrapeAndPleasePromtool) {
  two_workers workers;
  registry metrics;
  metrics.add(std::make_shared<dns_source>("dns://:5353", "0.1.0", workers.all()));
  EXPECT_THAT(metrics.text(),
              HasSubstr("coredns_build_info{version=\"0.1.0\",revision=\"\",goversion=\"\"} 1\n"));
  workers.first.dropped.add(9);
  EXPECT_THAT(metrics.text(), HasSubstr("egress_operator_dns_dropped_total 9\n"));
  if (!testing::has_promtool()) GTEST_SKIP() << "promtool is not installed";
  EXPECT_EQ(testing::promtool_says(metrics.text()), "");
}

}  // namespace
}  // namespace egress::metrics
