#include "actors/metrics/dns_families.hpp"

#include <fmt/format.h>

#include "actors/dns/record_text.hpp"
#include "actors/metrics/upstream_families.hpp"

namespace egress::metrics {
namespace {

using dns::worker_counters;
using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using labels = std::vector<ClientMetric::Label>;

constexpr std::array<const char*, 2> protos{"udp", "tcp"};
constexpr std::array<const char*, 2> address_families{"1", "2"};  // IPv4, IPv6, as CoreDNS numbers them

class summing {
 public:
  summing(const dns_counters& workers, const std::string& server)
      : workers_(workers),
        common_{{"server", server}, {"zone", "."}, {"view", ""}},
        cache_{{"server", server}, {"zones", "."}, {"view", ""}} {}

  labels with(labels more) const {
    labels all = common_;
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }

  // CoreDNS's cache has "zones", with its type between them.
  labels of_cache(const char* type = nullptr) const {
    labels all = cache_;
    if (type) all.insert(all.begin() + 1, {"type", type});
    return all;
  }

  // The sum of one number of every worker.
  template <class Get>
  double total(Get&& get) const {
    double sum = 0;
    for (const auto& one : workers_) sum += static_cast<double>(get(*one));
    return sum;
  }

  template <class Get>
  ClientMetric count(labels of, Get&& get) const {
    ClientMetric made;
    made.label = std::move(of);
    made.counter.value = total([&](const worker_counters& one) { return get(one).value(); });
    return made;
  }

  template <class Get>
  ClientMetric gauge(labels of, Get&& get) const {
    ClientMetric made;
    made.label = std::move(of);
    made.gauge.value =
        total([&](const worker_counters& one) { return get(one).load(std::memory_order_relaxed); });
    return made;
  }

  // `unit` turns the counted unit into the exposed one.
  template <std::size_t Bounds, class Get>
  ClientMetric histogram(labels of, const std::array<std::uint64_t, Bounds>& bounds, double unit,
                         Get&& get) const {
    ClientMetric made;
    made.label = std::move(of);
    std::uint64_t below = 0;
    for (std::size_t at = 0; at <= Bounds; ++at) {
      for (const auto& one : workers_) below += get(*one).buckets[at].value();
      if (at < Bounds) made.histogram.bucket.push_back({below, static_cast<double>(bounds[at]) / unit});
    }
    made.histogram.sample_count = below;
    made.histogram.sample_sum =
        total([&](const worker_counters& one) { return get(one).sum.value(); }) / unit;
    return made;
  }

 private:
  const dns_counters& workers_;
  labels common_, cache_;
};

constexpr double nanoseconds = 1e9;  // in a second

MetricFamily requests(const summing& sum) {
  MetricFamily made{"coredns_dns_requests_total",
                    "Counter of DNS requests made per zone, protocol and family.",
                    MetricType::Counter,
                    {}};
  for (std::size_t proto = 0; proto < 2; ++proto)
    for (std::size_t address = 0; address < 2; ++address)
      for (std::size_t type = 0; type < dns::counted_type_names.size(); ++type) {
        auto one =
            sum.count(sum.with({{"proto", protos[proto]},
                                {"family", address_families[address]},
                                {"type", dns::counted_type_names[type]}}),
                      [&](const auto& worker) -> auto& { return worker.requests[proto][address][type]; });
        if (one.counter.value > 0) made.metric.push_back(std::move(one));
      }
  return made;
}

MetricFamily responses(const summing& sum) {
  MetricFamily made{
      "coredns_dns_responses_total", "Counter of response status codes.", MetricType::Counter, {}};
  for (std::size_t rcode = 0; rcode < dns::counted_rcodes; ++rcode)
    for (std::size_t plugin = 0; plugin < dns::plugin_names.size(); ++plugin) {
      auto one =
          sum.count(sum.with({{"rcode", dns::rcode_text(rcode)}, {"plugin", dns::plugin_names[plugin]}}),
                    [&](const auto& worker) -> auto& { return worker.responses[rcode][plugin]; });
      if (one.counter.value > 0) made.metric.push_back(std::move(one));
    }
  return made;
}

MetricFamily durations(const summing& sum) {
  return {"coredns_dns_request_duration_seconds",
          "Histogram of the time (in seconds) each request took per zone.",
          MetricType::Histogram,
          {sum.histogram(sum.with({}), dns::duration_bounds, nanoseconds,
                         [](const auto& worker) -> auto& { return worker.durations; })}};
}

template <class Get>
MetricFamily sizes(const summing& sum, const char* name, const char* help, Get&& get) {
  MetricFamily made{name, help, MetricType::Histogram, {}};
  for (std::size_t proto = 0; proto < 2; ++proto)
    made.metric.push_back(sum.histogram(sum.with({{"proto", protos[proto]}}), dns::size_bounds, 1,
                                        [&](const auto& worker) -> auto& { return get(worker)[proto]; }));
  return made;
}

MetricFamily forward_responses(const summing& sum) {
  MetricFamily made{"coredns_forward_responses_total",
                    "Counter of responses received from the upstreams, by rcode.",
                    MetricType::Counter,
                    {}};
  for (std::size_t rcode = 0; rcode < dns::counted_rcodes; ++rcode) {
    auto one = sum.count({{"rcode", dns::rcode_text(rcode)}},
                         [&](const auto& worker) -> auto& { return worker.forward_responses[rcode]; });
    if (one.counter.value > 0) made.metric.push_back(std::move(one));
  }
  return made;
}

template <class Get>
MetricFamily plain(const summing& sum, const char* name, const char* help, Get&& get) {
  return {name, help, MetricType::Counter, {sum.count({}, get)}};
}

template <class Get>
MetricFamily level(const summing& sum, const char* name, const char* help, Get&& get) {
  return {name, help, MetricType::Gauge, {sum.gauge({}, get)}};
}

void append_forwarding(std::vector<MetricFamily>& to, const summing& sum) {
  to.push_back(plain(sum, "coredns_forward_requests_total", "Counter of requests made to the upstreams.",
                     [](const auto& worker) -> auto& { return worker.forward_requests; }));
  to.push_back(forward_responses(sum));
  to.push_back({"coredns_forward_request_duration_seconds",
                "Histogram of the time each upstream exchange took.",
                MetricType::Histogram,
                {sum.histogram({}, dns::duration_bounds, nanoseconds,
                               [](const auto& worker) -> auto& { return worker.forward_durations; })}});
  to.push_back(plain(sum, "coredns_forward_max_concurrent_rejects_total",
                     "Counter of the queries rejected because the concurrent queries were at maximum.",
                     [](const auto& worker) -> auto& { return worker.forward_rejects; }));
  to.push_back(plain(sum, "coredns_forward_healthcheck_broken_total",
                     "Counter of the queries sent to some upstream while none was healthy.",
                     [](const auto& worker) -> auto& { return worker.forward_healthcheck_broken; }));
  to.push_back(plain(sum, "egress_operator_dns_forward_failures_total",
                     "Forwarded queries that no upstream answered",
                     [](const auto& worker) -> auto& { return worker.forward_failures; }));
  to.push_back(plain(sum, "egress_operator_dns_hijacked_aliases_total",
                     "Upstreams' replies to other names whose aliases lead to a hijacked name",
                     [](const auto& worker) -> auto& { return worker.hijacked_aliases; }));
  to.push_back(level(sum, "egress_operator_dns_forwards_in_flight",
                     "Forwarded queries that wait for an upstream",
                     [](const auto& worker) -> auto& { return worker.forwards_in_flight; }));
}

constexpr std::array<const char*, 2> cache_types{"success", "denial"};

// One line a type.
template <class Get>
MetricFamily cached_by_type(const summing& sum, const char* name, const char* help, Get&& get) {
  MetricFamily made{name, help, MetricType::Counter, {}};
  for (std::size_t at = 0; at < cache_types.size(); ++at)
    made.metric.push_back(sum.count(sum.of_cache(cache_types[at]),
                                    [&](const auto& worker) -> auto& { return get(worker)[at]; }));
  return made;
}

template <class Get>
MetricFamily cached(const summing& sum, const char* name, const char* help, Get&& get) {
  return {name, help, MetricType::Counter, {sum.count(sum.of_cache(), get)}};
}

MetricFamily cache_entries(const summing& sum) {
  MetricFamily made{"coredns_cache_entries", "The number of elements in the cache.", MetricType::Gauge, {}};
  for (std::size_t at = 0; at < cache_types.size(); ++at)
    made.metric.push_back(sum.gauge(sum.of_cache(cache_types[at]),
                                    [&](const auto& worker) -> auto& { return worker.cache_entries[at]; }));
  return made;
}

void append_cache(std::vector<MetricFamily>& to, const summing& sum) {
  to.push_back(cache_entries(sum));
  to.push_back(cached(sum, "coredns_cache_requests_total", "The count of cache requests.",
                      [](const auto& worker) -> auto& { return worker.cache_requests; }));
  to.push_back(cached_by_type(sum, "coredns_cache_hits_total", "The count of cache hits.",
                              [](const auto& worker) -> auto& { return worker.cache_hits; }));
  to.push_back(cached(sum, "coredns_cache_misses_total", "The count of cache misses.",
                      [](const auto& worker) -> auto& { return worker.cache_misses; }));
  to.push_back(cached(sum, "coredns_cache_prefetch_total",
                      "The number of times the cache has prefetched a cached item.",
                      [](const auto& worker) -> auto& { return worker.cache_prefetches; }));
  to.push_back(cached(sum, "coredns_cache_served_stale_total",
                      "The number of requests served from stale cache entries.",
                      [](const auto& worker) -> auto& { return worker.cache_served_stale; }));
  to.push_back(cached_by_type(sum, "coredns_cache_evictions_total", "The count of cache evictions.",
                              [](const auto& worker) -> auto& { return worker.cache_evictions; }));
  to.push_back(level(sum, "egress_operator_dns_cache_bytes",
                     "Memory that the DNS cache holds, index included",
                     [](const auto& worker) -> auto& { return worker.cache_bytes; }));
}

void append_own(std::vector<MetricFamily>& to, const summing& sum) {
  to.push_back(plain(sum, "egress_operator_dns_dropped_total", "Packets that get no answer",
                     [](const auto& worker) -> auto& { return worker.dropped; }));
  to.push_back(plain(sum, "egress_operator_dns_overload_refused_total",
                     "Queries refused instead of forwarded since more came than can be served",
                     [](const auto& worker) -> auto& { return worker.overload_refused; }));
  to.push_back(plain(sum, "egress_operator_dns_log_dropped_total",
                     "Queries that the query log had no room for",
                     [](const auto& worker) -> auto& { return worker.log_dropped; }));
  to.push_back(plain(sum, "egress_operator_dns_send_failures_total", "Answers that the kernel did not take",
                     [](const auto& worker) -> auto& { return worker.send_failures; }));
  to.push_back(plain(sum, "egress_operator_dns_tcp_connections_total", "DNS connections accepted",
                     [](const auto& worker) -> auto& { return worker.tcp_connections; }));
  to.push_back(plain(sum, "egress_operator_dns_tcp_rejects_total", "DNS connections refused for too many",
                     [](const auto& worker) -> auto& { return worker.tcp_rejects; }));
  to.push_back(level(sum, "egress_operator_dns_tcp_open", "DNS connections that are open",
                     [](const auto& worker) -> auto& { return worker.tcp_open; }));
}

}  // namespace

std::string rcode_name(std::size_t code) {
  constexpr std::array<const char*, 11> names{"NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN",
                                              "NOTIMP",  "REFUSED", "YXDOMAIN", "YXRRSET",
                                              "NXRRSET", "NOTAUTH", "NOTZONE"};
  if (code < names.size()) return names[code];
  return code == 16 ? "BADVERS" : fmt::format("RCODE{}", code);
}

std::vector<MetricFamily> dns_families(const dns_counters& workers, const std::string& server) {
  const summing sum{workers, server};
  std::vector<MetricFamily> made{
      requests(sum), responses(sum), durations(sum),
      sizes(sum, "coredns_dns_request_size_bytes",
            "Size of the EDNS0 UDP buffer in bytes (64K for TCP) per zone and protocol.",
            [](const auto& worker) -> auto& { return worker.request_sizes; }),
      sizes(sum, "coredns_dns_response_size_bytes", "Size of the returned response in bytes.",
            [](const auto& worker) -> auto& { return worker.response_sizes; })};
  append_forwarding(made, sum);
  append_cache(made, sum);
  append_upstreams(made, workers);
  append_own(made, sum);
  return made;
}

std::vector<MetricFamily> dns_source::Collect() const {
  auto families = dns_families(workers_, server_);
  ClientMetric build;
  build.label = {{"version", version_}, {"revision", ""}, {"goversion", ""}};
  build.gauge.value = 1;
  families.push_back(
      {"coredns_build_info",
       "A metric with a constant '1' value labeled by version, revision, and goversion from which "
       "this program was built.",
       MetricType::Gauge,
       {build}});
  return families;
}

}  // namespace egress::metrics
