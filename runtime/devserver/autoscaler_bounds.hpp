#pragma once
// Of the HorizontalPodAutoscaler what holds without metrics: a Deployment's replicas lie between minReplicas
// and maxReplicas, unless they are 0, which switches the autoscaler off. Pure.

#include <map>
#include <set>

#include "runtime/base/time.hpp"
#include "runtime/devserver/store.hpp"

namespace egress::dev {

class cluster;

class autoscaler_bounds {
 public:
  explicit autoscaler_bounds(cluster& on) : on_(on) {}
  void observe(const change& what);
  void run(wall_time now);

 private:
  void step(const object_key& autoscaler, wall_time now);

  cluster& on_;
  std::set<object_key> dirty_;                            // autoscalers
  std::map<object_key, std::set<object_key>> scaled_by_;  // autoscalers by what they scale
};

}  // namespace egress::dev
