#include <utility>

#include "actors/reconciler/envoy/hardened_parts.hpp"
#include "actors/reconciler/envoy/parts.hpp"
#include "actors/reconciler/gateway_limits.hpp"

namespace egress::envoy {
namespace {

constexpr std::string_view heap_monitor = "envoy.resource_monitors.fixed_heap";

json::object action(const json::storage_ptr& in, std::string_view name, double threshold) {
  json::object trigger({{"name", heap_monitor}, {"threshold", {{"value", threshold}}}}, in);
  return json::object({{"name", name}, {"triggers", one(std::move(trigger))}}, in);
}

}  // namespace

// Envoy closes new connections before the kernel kills it. (To stop accepting would leave them waiting in the
// kernel's queue, until the client gives up.)
json::object overload_manager(const json::storage_ptr& in, const kube::external_service_spec& spec) {
  const auto guard = reconciler::memory_guard_of(spec);
  json::array monitors(in);
  json::object made({{"refreshInterval", "0.250s"}}, in);
  if (guard.heap_bytes) {
    monitors.push_back(extension(in, heap_monitor,
                                 "envoy.extensions.resource_monitors.fixed_heap.v3.FixedHeapConfig",
                                 {{"maxHeapSizeBytes", *guard.heap_bytes}}));
    made["actions"] = json::array({action(in, "envoy.overload_actions.shrink_heap", 0.9),
                                   action(in, "envoy.overload_actions.reject_incoming_connections", 0.95)},
                                  in);
  }
  monitors.push_back(
      extension(in, "envoy.resource_monitors.global_downstream_max_connections",
                "envoy.extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig",
                {{"maxActiveDownstreamConnections", guard.connections}}));
  made["resourceMonitors"] = std::move(monitors);
  return made;
}

}  // namespace egress::envoy
