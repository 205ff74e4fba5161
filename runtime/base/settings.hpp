#pragma once
// What the environment variables of the Deployment say about every gateway. Read once at start
// (environment.hpp); pure code takes it as a value.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace egress {

enum class gateway_profile : std::uint8_t { compatible, hardened };

struct topology_spread {
  std::int64_t max_skew = 1;
  std::string topology_key;
  std::string when_unsatisfiable = "ScheduleAnyway";
  friend bool operator==(const topology_spread&, const topology_spread&) = default;
};

struct key_value {
  std::string key, value;
  friend bool operator==(const key_value&, const key_value&) = default;
};

// How gateways are rendered: the same for every ExternalService.
struct gateway_settings {
  gateway_profile profile = gateway_profile::hardened;
  std::string name_space = "egress-operator-system";
  std::string cluster_domain = "cluster.local";  // --cluster-domain: its names are not to be hijacked
  std::string image;                             // ENVOY_IMAGE; "" is the profile's default
  bool pod_disruption_budgets = false;
  bool service_topology_mode = false;             // ENABLE_SERVICE_TOPOLOGY_MODE
  std::optional<key_value> toleration;            // TAINT_TOLERATION_KEY and _VALUE
  std::optional<key_value> node_selector;         // NODE_SELECTOR_KEY and _VALUE
  std::vector<topology_spread> topology_spreads;  // zone, then hostname
  unsigned drain_seconds = 25;                    // --gateway-drain-seconds (hardened)
  std::vector<std::string> private_ranges;        // --private-range: CIDRs that wildcards do not lead to
  std::string
      metrics_from;  // --metrics-from: label selector ("app=prometheus") of the pods that may scrape gateways
};

}  // namespace egress
