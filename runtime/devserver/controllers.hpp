#pragma once
// The cluster's own controllers, as far as an operator depends on them: steps over the store, driven by its
// changes and by time that comes in. Pure; used from the cluster's thread.

#include <algorithm>
#include <optional>

#include "runtime/devserver/autoscaler_bounds.hpp"
#include "runtime/devserver/deployment_stand_in.hpp"
#include "runtime/devserver/endpoint_slices.hpp"
#include "runtime/devserver/garbage_collector.hpp"
#include "runtime/devserver/gateway_runs.hpp"

namespace egress::dev {

class cluster;

class cluster_controllers {
 public:
  cluster_controllers(cluster& on, milliseconds readiness_delay)
      : garbage(on), deployments(on, readiness_delay), autoscalers(on), slices(on) {}

  void observe(const change& what) {
    garbage.observe(what);
    deployments.observe(what);
    autoscalers.observe(what);
    slices.observe(what);
    if (gateways) gateways->observe(what);
  }

  // Returns when there is more to do without a change, if ever.
  std::optional<wall_time> run(wall_time now) {
    if (paused) return std::nullopt;
    garbage.run(now);
    autoscalers.run(now);
    // Before the Deployments, which become ready as far as their gateways let them.
    const auto starts = gateways ? gateways->run(now) : std::nullopt;
    const auto becomes_ready = deployments.run(now);
    slices.run(now);
    return starts && becomes_ready ? std::min(starts, becomes_ready) : (starts ? starts : becomes_ready);
  }

  // For tests of what lies between a deletion and its collection.
  bool paused = false;
  garbage_collector garbage;
  deployment_stand_in deployments;
  autoscaler_bounds autoscalers;
  endpoint_slices slices;
  std::optional<gateway_runs> gateways;  // where gateways are processes; else they are played like the rest
};

}  // namespace egress::dev
