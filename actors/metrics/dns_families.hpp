#pragma once
// The DNS workers' counters as CoreDNS's metric families, so that its dashboards work, and a few of ours.
// Pure.

#include <prometheus/collectable.h>
#include <prometheus/metric_family.h>

#include <memory>
#include <string>
#include <vector>

#include "actors/dns/counters.hpp"

namespace egress::metrics {

// One a worker; they outlive the workers, so that counts survive restarts.
using dns_counters = std::vector<std::shared_ptr<const dns::worker_counters>>;

// As CoreDNS names them; those without a name are "RCODE17".
std::string rcode_name(std::size_t code);

// Sums over all workers. `server` is CoreDNS's label: "dns://:5353".
std::vector<prometheus::MetricFamily> dns_families(const dns_counters& workers, const std::string& server);

// For registry::add: reads the counters at each scrape.
class dns_source : public prometheus::Collectable {
 public:
  dns_source(std::string server, std::string version, dns_counters workers)
      : server_(std::move(server)), version_(std::move(version)), workers_(std::move(workers)) {}
  std::vector<prometheus::MetricFamily> Collect() const override;

 private:
  std::string server_, version_;
  dns_counters workers_;
};

}  // namespace egress::metrics
