#pragma once
// What the hardened bootstrap is put together from: one function a part. Pure.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "runtime/kube/external_service.hpp"
#include "runtime/kube/json.hpp"

namespace egress::envoy {

struct gateway_view {
  std::string_view name;
  const kube::external_service_spec& spec;
  bool ipv6;
  bool connects_on_data;
  std::span<const std::string> private_ranges{};
  bool reloads = false;    // its gateways take up changes
  json::storage_ptr in{};  // of the whole tree
};

// Buffered bytes of a connection, each way, before reading pauses.
inline constexpr std::int64_t buffer_bytes = 32 * 1024;

// hardened_clusters.cpp: appends the port's clusters: by DNS, and before it with ipOverride the aggregate and
// the override.
void add_clusters(json::array& clusters, const gateway_view& gateway, const kube::service_port& port);
// The cluster that the port's listener sends to.
std::string listener_cluster(const gateway_view& gateway, const kube::service_port& port);

// hardened_listeners.cpp
json::object tcp_listener(const gateway_view& gateway, const kube::service_port& port);
json::object udp_listener(const gateway_view& gateway, const kube::service_port& port);
// {"socketAddress": …} to listen on.
json::object listen_address(const gateway_view& gateway, std::int64_t port,
                            std::string_view protocol = "TCP");

// hardened_admin.cpp: Envoy's admin interface on an abstract Unix socket; /ready and /stats/prometheus on the
// admin port, read-only.
json::object admin(const gateway_view& gateway);
json::object admin_cluster(const gateway_view& gateway);
json::object admin_listener(const gateway_view& gateway, std::int64_t port);

// hardened_overload.cpp
json::object overload_manager(const json::storage_ptr& in, const kube::external_service_spec& spec);

// wildcard.cpp: for "*.example.com", whose address is looked up per connection by its SNI.
json::object wildcard_cluster(const gateway_view& gateway, const kube::service_port& port);
// The filters before tcp_proxy: the lookup, and, unless allowPrivate, the guard that lets only public
// addresses through.
json::array wildcard_filters(const gateway_view& gateway, const kube::service_port& port);
// Whether that guard is there: it judges when the client speaks, so the proxy must not connect before.
bool guards_addresses(const gateway_view& gateway);

}  // namespace egress::envoy
