#pragma once
// Controllers as children name them, each kept once for as long as somebody has it: six children name the
// same. Pure; one thread.

#include <cstddef>
#include <memory>
#include <unordered_map>

#include "runtime/kube/object.hpp"

namespace egress::kube {

class controller_pool {
 public:
  // `read`, shared with whoever was given an equal one.
  maybe_controller shared(controller_ref read);
  std::size_t size() const { return known_.size(); }

 private:
  void forget_unused();

  // By the hash of the uid: of two with one hash the later is shared.
  std::unordered_map<std::size_t, std::weak_ptr<const controller_ref>> known_;
  std::size_t look_at_ = 64;  // the size at which those that nobody has any more are looked for
};

}  // namespace egress::kube
