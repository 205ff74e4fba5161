#pragma once
// egress.monzo.com/v1 ExternalService as stored: every field optional, integers as wide as JSON has them
// (the server does not enforce int32), nothing judged yet. validate.hpp judges.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "runtime/kube/condition_list.hpp"

namespace egress::kube {

struct service_port {
  std::int64_t port = 0;
  std::string protocol = "TCP";  // as written; absent means TCP
  friend bool operator==(const service_port&, const service_port&) = default;
};

// core/v1 ResourceRequirements; quantities as written ("100m", or a number as its text).
struct resource_requirements {
  std::map<std::string, std::string> requests, limits;
  bool claims = false;  // spec.resources.claims is present and not empty
  friend bool operator==(const resource_requirements&, const resource_requirements&) = default;
};

struct external_service_spec {
  std::string dns_name;
  std::vector<service_port> ports;
  bool hijack_dns = false;
  std::optional<std::int64_t> min_replicas, max_replicas, target_cpu_utilization_percentage;
  std::optional<resource_requirements> resources;
  std::vector<std::string> ip_override;
  std::optional<std::int64_t> envoy_cluster_max_connections;
  std::string envoy_log_level;
  std::optional<std::int64_t> envoy_dns_refresh_rate_s;
  std::optional<bool> envoy_respect_dns_ttl;  // absent differs from false: `hardened` respects by default
  std::string service_topology_mode;
  bool envoy_json_admin_access_logs = false;
  bool envoy_json_cluster_access_logs = false;
  // Ours.
  std::string tls_sni;          // "", "Off", "Enforce"
  std::string config_delivery;  // "", "Restart", "Reload"
  bool allow_private = false;
  std::vector<std::string> dns_clients;
  friend bool operator==(const external_service_spec&, const external_service_spec&) = default;
};

struct external_service_status {
  std::int64_t observed_generation = 0;
  condition_list conditions;
  std::string cluster_ip;
  std::int64_t ready_replicas = 0;
  std::string config_hash;
  std::string ports;  // "8443/TCP,11000/TCP": a printer column can show only one value
  friend bool operator==(const external_service_status&, const external_service_status&) = default;
};

struct external_service {
  external_service_spec spec;
  external_service_status status;
  // Why spec could not be decoded ("spec.ports[0].port: a string where an integer belongs"); such an object
  // is refused alone and never fails a list or a watch. Empty when all is well.
  std::string undecodable;
};

}  // namespace egress::kube
