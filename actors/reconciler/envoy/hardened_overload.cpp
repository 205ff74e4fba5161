#include <utility>

#include "actors/reconciler/envoy/hardened_parts.hpp"
#include "actors/reconciler/envoy/parts.hpp"
#include "actors/reconciler/gateway_limits.hpp"

namespace egress::envoy {
namespace {

constexpr std::string_view heap_monitor = "envoy.resource_monitors.fixed_heap";

json::object action(std::string_view name, double threshold) {
  json::object trigger{{"name", heap_monitor}};
  trigger["threshold"] = json::object{{"value", threshold}};
  json::object made{{"name", name}};
  made["triggers"] = one(std::move(trigger));
  return made;
}

}  // namespace

// Envoy refuses connections before the kernel kills it.
json::object overload_manager(const kube::external_service_spec& spec) {
  const auto guard = reconciler::memory_guard_of(spec);
  json::array monitors;
  json::object made{{"refreshInterval", "0.250s"}};
  if (guard.heap_bytes) {
    monitors.push_back(
        extension(heap_monitor, typed("envoy.extensions.resource_monitors.fixed_heap.v3.FixedHeapConfig",
                                      json::object{{"maxHeapSizeBytes", *guard.heap_bytes}})));
    made["actions"] = json::array{action("envoy.overload_actions.shrink_heap", 0.9),
                                  action("envoy.overload_actions.stop_accepting_connections", 0.95)};
  }
  monitors.push_back(extension(
      "envoy.resource_monitors.global_downstream_max_connections",
      typed("envoy.extensions.resource_monitors.downstream_connections.v3.DownstreamConnectionsConfig",
            json::object{{"maxActiveDownstreamConnections", guard.connections}})));
  made["resourceMonitors"] = std::move(monitors);
  return made;
}

}  // namespace egress::envoy
