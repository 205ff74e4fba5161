#pragma once
// Tells the metrics actor how a part is: when that has changed, and again whenever the metrics actor may be a
// new one. Actors call it after every message; saying nothing new costs a comparison.

#include <optional>

#include "runtime/actor/messages.hpp"

namespace egress {

class health_teller {
 public:
  // With each directory: what was told before may be lost.
  void use(metrics_actor to);
  void tell(health_report now);

 private:
  metrics_actor to_;
  std::optional<health_report> told_;
};

}  // namespace egress
