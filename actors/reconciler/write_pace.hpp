#pragma once
// Slows down writes of a child that come to nothing again and again: somebody undoes them each time, or the
// garbage collector removes what is made for an ExternalService whose deletion has not been heard of yet.
// What people change is never slowed down: that is another state to bring the child to. Pure; one a key.

#include <array>
#include <string>

#include "actors/reconciler/plan.hpp"
#include "runtime/base/time.hpp"

namespace egress::reconciler {

class write_pace {
 public:
  // So many writes to the same state come at once, the others a second apart.
  static constexpr double burst = 10;
  static constexpr milliseconds apart{1'000};

  // How long the next write of this child (kube::child_index) must wait; 0: not at all.
  milliseconds wait(std::size_t child, const kube::digest& wanted, steady_time now) const;
  void wrote(std::size_t child, const kube::digest& wanted, steady_time now);
  // Another ExternalService of the name (its uid) begins anew.
  void about(const std::string& uid);

 private:
  struct pace {
    kube::digest wanted{};
    double free = burst;
    steady_time at{};
  };
  static double free_at(const pace& one, steady_time now);

  std::string uid_;
  std::array<pace, kube::child_count> paces_{};
};

}  // namespace egress::reconciler
