#pragma once
// What the DNS workers count of each upstream, under CoreDNS's names. Pure.

#include "actors/metrics/dns_families.hpp"

namespace egress::metrics {

// Sums over all workers; one metric an upstream that has ever been asked.
void append_upstreams(std::vector<prometheus::MetricFamily>& to, const dns_counters& workers);

}  // namespace egress::metrics
