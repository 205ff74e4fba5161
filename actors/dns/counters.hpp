#pragma once
// What a packet loop counts. One writer (its loop), any readers; owned beside the sockets, so that counts
// survive restarts of the loop. Names and buckets are CoreDNS's.

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace egress::dns {

// A single-writer counter: a plain add, no locked instruction.
class counter {
 public:
  void add(std::uint64_t n = 1) {
    value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }
  std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

// Buckets hold the values up to their bound; the last one the rest. Not cumulative.
template <std::size_t Bounds>
struct histogram {
  std::array<counter, Bounds + 1> buckets;
  counter sum;

  // The same value `times` times.
  void add(const std::array<std::uint64_t, Bounds>& bounds, std::uint64_t value, std::uint64_t times = 1) {
    std::size_t at = 0;
    while (at < Bounds && value > bounds[at]) ++at;
    buckets[at].add(times);
    sum.add(value * times);
  }
};

// 0.00025 s × 2ⁿ, in nanoseconds.
inline constexpr auto duration_bounds = [] {
  std::array<std::uint64_t, 16> bounds{};
  for (std::size_t i = 0; i < bounds.size(); ++i) bounds[i] = std::uint64_t{250'000} << i;
  return bounds;
}();
inline constexpr std::array<std::uint64_t, 14> size_bounds{0,    100,  200,  300,   400,   511,   1023,
                                                           2047, 4095, 8291, 16000, 32000, 48000, 64000};

enum class plugin : std::uint8_t { egressoperator, forward, none, cache };
inline constexpr std::array<const char*, 4> plugin_names{"egressoperator", "forward", "", "cache"};

// coredns_dns_requests_total's type label; what is not here is "other".
inline constexpr std::array<std::uint16_t, 18> counted_types{1,  2,  5,  6,  12, 15, 16, 28, 33,
                                                             39, 43, 46, 47, 48, 50, 64, 65, 255};
inline constexpr std::array<const char*, 19> counted_type_names{
    "A",  "NS",    "CNAME", "SOA",    "PTR",   "MX",   "TXT",   "AAAA", "SRV",  "DNAME",
    "DS", "RRSIG", "NSEC",  "DNSKEY", "NSEC3", "SVCB", "HTTPS", "ANY",  "other"};
constexpr std::size_t type_bucket(std::uint16_t type) {
  std::size_t at = 0;
  while (at < counted_types.size() && counted_types[at] != type) ++at;
  return at;
}
inline constexpr std::size_t counted_rcodes = 24;  // the last one holds all above

// Of one upstream.
struct upstream_counters {
  explicit upstream_counters(std::string address) : to(std::move(address)) {}
  const std::string to;                                                     // "10.0.0.10:53"
  std::array<histogram<duration_bounds.size()>, counted_rcodes> durations;  // nanoseconds, by rcode
  counter healthcheck_failures;
  std::atomic<bool> looped{false};  // it sends our queries back to us
};

// The upstreams there are, and have been. From any thread.
class upstream_book {
 public:
  std::shared_ptr<upstream_counters> of(const std::string& to) {
    const std::scoped_lock lock(mutex_);
    for (const auto& one : all_)
      if (one->to == to) return one;
    return all_.emplace_back(std::make_shared<upstream_counters>(to));
  }
  std::vector<std::shared_ptr<const upstream_counters>> all() const {
    const std::scoped_lock lock(mutex_);
    return {all_.begin(), all_.end()};
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::shared_ptr<upstream_counters>> all_;
};

struct alignas(64) worker_counters {
  // [udp, tcp] and [IPv4, IPv6]
  std::array<std::array<std::array<counter, counted_type_names.size()>, 2>, 2> requests;
  std::array<std::array<counter, plugin_names.size()>, counted_rcodes> responses;
  histogram<duration_bounds.size()> durations;                                 // nanoseconds
  std::array<histogram<size_bounds.size()>, 2> request_sizes, response_sizes;  // [udp, tcp], bytes
  counter dropped;                                                             // packets without an answer
  counter log_dropped;                                                         // that the query log lost
  counter send_failures;                                        // answers the kernel did not take
  counter overload_refused;                                     // instead of being forwarded
  counter forward_requests, forward_failures, forward_rejects;  // rejects: --dns-max-concurrent
  histogram<duration_bounds.size()> forward_durations;          // of one upstream exchange, nanoseconds
  std::array<counter, counted_rcodes> forward_responses;        // by rcode
  counter hijacked_aliases;  // replies to other names with an alias that leads to a hijacked one
  counter cache_requests, cache_misses, cache_prefetches, cache_served_stale;
  std::array<counter, 2> cache_hits, cache_evictions;         // [success, denial]
  std::array<std::atomic<std::uint64_t>, 2> cache_entries{};  // [success, denial]
  std::atomic<std::uint64_t> cache_bytes{0};
  counter forward_healthcheck_broken;  // asked although none is healthy
  upstream_book upstreams;
  counter tcp_connections, tcp_rejects;
  std::atomic<std::int64_t> forwards_in_flight{0}, tcp_open{0};
};

}  // namespace egress::dns
