#include "runtime/kube/controller_pool.hpp"

#include <algorithm>
#include <functional>
#include <string_view>
#include <utility>

namespace egress::kube {

maybe_controller controller_pool::shared(controller_ref read) {
  if (known_.size() >= look_at_) forget_unused();
  auto& one = known_[std::hash<std::string_view>{}(read.uid.view())];
  if (auto there = one.lock(); there && *there == read) return maybe_controller(std::move(there));
  auto made = std::make_shared<const controller_ref>(std::move(read));
  one = made;
  return maybe_controller(std::move(made));
}

void controller_pool::forget_unused() {
  std::erase_if(known_, [](const auto& entry) { return entry.second.expired(); });
  look_at_ = std::max<std::size_t>(64, known_.size() * 2);
}

}  // namespace egress::kube
