#pragma once
// Where a tree lives that is thrown away at once: values in it are neither freed nor destroyed one by one.
// On the stack; nothing of the tree may outlive it.

#include <array>
#include <boost/json/monotonic_resource.hpp>

#include "runtime/kube/json.hpp"

namespace egress::json {

class arena {
 public:
  arena() = default;
  arena(const arena&) = delete;
  arena& operator=(const arena&) = delete;

  storage_ptr storage() { return &resource_; }

 private:
  // A Deployment as the API server sends it, without its managedFields, is 10 KiB as a tree.
  std::array<unsigned char, std::size_t{16} * 1024> first_;
  boost::json::monotonic_resource resource_{first_.data(), first_.size()};
};

}  // namespace egress::json
