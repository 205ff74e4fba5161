#pragma once
// Plays the controller of EndpointSlices for gateways: a Service's pods are those of the Deployment of its
// name, and all of them are at its ClusterIP. Pure.

#include <set>

#include "runtime/base/time.hpp"
#include "runtime/devserver/store.hpp"

namespace egress::dev {

class cluster;

class endpoint_slices {
 public:
  explicit endpoint_slices(cluster& on) : on_(on) {}

  void observe(const change& what);
  void run(wall_time now);

 private:
  void step(const object_key& key, wall_time now);

  cluster& on_;
  std::set<object_key> dirty_;
};

}  // namespace egress::dev
