#pragma once
// An actor system whose scheduler and clock the test drives: nothing runs, and no time passes, by itself.

#include <caf/actor_system.hpp>
#include <caf/scheduler/test_coordinator.hpp>

#include "runtime/actor/system.hpp"

namespace egress::test {

class virtual_system {
 public:
  virtual_system() : config_(system_config::testing{}), system_(config_) {}

  caf::actor_system& system() { return system_; }
  // Runs all that can run now.
  void settle() {
    while (coordinator().try_run_once()) {
    }
  }
  // In small steps, so that what one timer starts may set the next.
  void advance(milliseconds by) {
    constexpr milliseconds step{10};
    for (auto left = by; left > milliseconds{0}; left -= step) {
      coordinator().advance_time(std::min(left, step));
      settle();
    }
  }
  steady_time now() { return system_.clock().now(); }

 private:
  caf::scheduler::test_coordinator& coordinator() {
    return dynamic_cast<caf::scheduler::test_coordinator&>(system_.scheduler());
  }
  system_config config_;
  caf::actor_system system_;
};

}  // namespace egress::test
