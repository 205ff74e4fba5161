#pragma once
// Slows down writes of a child that come to nothing again and again: somebody undoes them each time, or the
// garbage collector removes what is made for an ExternalService whose deletion has not been heard of yet.
// What people change is never slowed down: that is another state to bring the child to. Pure; one a key.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include "actors/reconciler/plan.hpp"
#include "runtime/base/time.hpp"

namespace egress::reconciler {

class write_pace {
 public:
  // So many writes to the same state come at once, the others a second apart.
  static constexpr float burst = 10;
  static constexpr milliseconds apart{1'000};

  // How long the next write of this child (kube::child_index) must wait; 0: not at all.
  milliseconds wait(std::size_t child, const kube::digest& wanted, steady_time now) const;
  void wrote(std::size_t child, const kube::digest& wanted, steady_time now);
  // Another ExternalService of the name (its uid) begins anew.
  void about(const kube::object_uid& uid);

 private:
  // There is one for each child of each ExternalService: as small as it can be. Half of a digest is enough
  // where a mistake means a second of waiting.
  struct pace {
    std::uint64_t wanted = 0;
    float free = burst;
    std::uint32_t at = 0;  // milliseconds, of a clock that begins anew after 49 days
  };
  static double free_for(const pace& one, const kube::digest& wanted, steady_time now);

  std::array<pace, kube::child_count> paces_{};
  std::size_t uid_ = 0;  // its hash
};

}  // namespace egress::reconciler
