#include "actors/metrics/upstream_families.hpp"

#include <map>

namespace egress::metrics {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using parts = std::vector<std::shared_ptr<const dns::upstream_counters>>;  // of one upstream, one a worker
using by_name = std::map<std::string, parts>;

constexpr double nanoseconds = 1e9;  // in a second

by_name upstreams_of(const dns_counters& workers) {
  by_name all;
  for (const auto& worker : workers)
    for (auto& one : worker->upstreams.all()) all[one->to].push_back(one);
  return all;
}

ClientMetric duration(const std::string& to, const parts& of, std::size_t rcode) {
  ClientMetric made;
  made.label = {{"proxy_name", "forward"}, {"to", to}, {"rcode", rcode_name(rcode)}};
  std::uint64_t below = 0, sum = 0;
  for (const auto& one : of) sum += one->durations[rcode].sum.value();
  for (std::size_t at = 0; at <= dns::duration_bounds.size(); ++at) {
    for (const auto& one : of) below += one->durations[rcode].buckets[at].value();
    if (at < dns::duration_bounds.size())
      made.histogram.bucket.push_back({below, static_cast<double>(dns::duration_bounds[at]) / nanoseconds});
  }
  made.histogram.sample_count = below;
  made.histogram.sample_sum = static_cast<double>(sum) / nanoseconds;
  return made;
}

MetricFamily durations(const by_name& all) {
  MetricFamily made{"coredns_proxy_request_duration_seconds",
                    "Histogram of the time each proxied request took.",
                    MetricType::Histogram,
                    {}};
  for (const auto& [to, of] : all)
    for (std::size_t rcode = 0; rcode < dns::counted_rcodes; ++rcode)
      if (auto one = duration(to, of, rcode); one.histogram.sample_count > 0)
        made.metric.push_back(std::move(one));
  return made;
}

// `common`: labels before `to`.
MetricFamily failures(const char* name, std::vector<ClientMetric::Label> common, const by_name& all) {
  MetricFamily made{name, "Counter of the number of failed healthchecks.", MetricType::Counter, {}};
  for (const auto& [to, of] : all) {
    auto& one = made.metric.emplace_back();
    one.label = common;
    one.label.push_back({"to", to});
    for (const auto& part : of) one.counter.value += static_cast<double>(part->healthcheck_failures.value());
  }
  return made;
}

MetricFamily looped(const by_name& all) {
  MetricFamily made{"egress_operator_dns_upstream_looped",
                    "1 while the upstream sends our queries back to us and is not asked",
                    MetricType::Gauge,
                    {}};
  for (const auto& [to, of] : all) {
    auto& one = made.metric.emplace_back();
    one.label = {{"to", to}};
    for (const auto& part : of)
      if (part->looped.load(std::memory_order_relaxed)) one.gauge.value = 1;
  }
  return made;
}

}  // namespace

void append_upstreams(std::vector<MetricFamily>& to, const dns_counters& workers) {
  const auto all = upstreams_of(workers);
  to.push_back(durations(all));
  // CoreDNS has renamed it; dashboards know either.
  to.push_back(failures("coredns_forward_healthcheck_failures_total", {}, all));
  to.push_back(failures("coredns_proxy_healthcheck_failures_total", {{"proxy_name", "forward"}}, all));
  to.push_back(looped(all));
}

}  // namespace egress::metrics
