#pragma once
// Where trees live that go together: values in it are neither freed nor destroyed one by one, and nothing of
// a tree may outlive it. One thread at a time.

#include <array>
#include <boost/json/monotonic_resource.hpp>

#include "runtime/kube/json.hpp"

namespace egress::json {

// On the stack, for a tree that is thrown away at once.
class arena {
 public:
  arena() = default;
  arena(const arena&) = delete;
  arena& operator=(const arena&) = delete;

  storage_ptr storage() { return &resource_; }

 private:
  // Envoy's configuration for two ports is as large as a tree.
  std::array<unsigned char, std::size_t{48} * 1024> first_;
  boost::json::monotonic_resource resource_{first_.data(), first_.size()};
};

// On the heap, for trees that are kept for a while: `first` bytes at first, more when those are used up.
class kept_arena {
 public:
  explicit kept_arena(std::size_t first) : resource_(first) {}
  kept_arena(const kept_arena&) = delete;
  kept_arena& operator=(const kept_arena&) = delete;

  storage_ptr storage() { return &resource_; }

 private:
  boost::json::monotonic_resource resource_;
};

}  // namespace egress::json
