#pragma once
// Envoy's configuration for one ExternalService, as a gateway mounts it. Pure.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "runtime/base/settings.hpp"
#include "runtime/kube/external_service.hpp"

namespace egress::envoy {

struct configuration {
  std::string text;             // envoy.yaml
  std::string hash;             // config_hash(text): another one takes other pods
  std::int64_t admin_port = 0;  // admin_port(spec)
  // cds.yaml and lds.yaml, which running gateways take up; "" without configDelivery Reload, when all is in
  // envoy.yaml.
  std::string clusters{}, listeners{};
  std::string version{};  // hash of all of it

  std::size_t size() const { return text.size() + clusters.size() + listeners.size(); }
};

// Where a gateway mounts it.
inline constexpr std::string_view config_folder = "/etc/envoy";

// What decides about the configuration beside the ExternalService.
struct surroundings {
  gateway_profile profile = gateway_profile::hardened;
  bool ipv6 = false;              // the Service has an IPv6 ClusterIP: listen on :: (hardened only)
  bool connects_on_data = false;  // Envoy 1.40 and later: can connect no sooner than the client has spoken
  std::span<const std::string>
      private_ranges{};  // CIDRs that wildcards do not lead to, beside the usual ones
};

// The spec must have passed validate().
configuration configure(std::string_view name, const kube::external_service_spec& spec, surroundings around);

// FNV-1a, 32 bits, as lower-case hex without leading zeros: annotation egress.monzo.com/config-hash.
std::string config_hash(std::string_view text);

// The first port from 11000 on that no TCP port of the spec uses. With configDelivery Reload it must not move
// when ports come and go: then it is reload_admin_port, which validate() keeps free.
std::int64_t admin_port(const kube::external_service_spec& spec, bool reloads = false);
inline constexpr std::int64_t reload_admin_port = 11000;

// "NAME_TCP_443": the name of a port's cluster and listener.
std::string cluster_name(std::string_view name, const kube::service_port& port);

}  // namespace egress::envoy
