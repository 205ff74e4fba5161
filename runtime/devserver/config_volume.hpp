#pragma once
// A ConfigMap as a kubelet mounts it: NAME is a link to ..data/NAME, and ..data one to the folder of the
// revision. A new revision is written beside the old one and takes its place by one rename, so that a reader
// sees all files of one or all of the other.

#include <cstdint>
#include <string>

#include "runtime/base/result.hpp"
#include "runtime/devserver/gateway_config.hpp"

namespace egress::dev {

class config_volume {
 public:
  // Removes what an earlier one left in the folder, which need not be there.
  explicit config_volume(std::string folder);

  result<void> update(const config_files& files);
  const std::string& folder() const { return folder_; }

 private:
  std::string folder_;
  std::uint64_t revision_ = 0;
};

}  // namespace egress::dev
