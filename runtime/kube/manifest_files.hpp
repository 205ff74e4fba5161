#pragma once
// Manifests from files: the I/O around manifest.hpp.

#include <string>
#include <vector>

#include "runtime/kube/manifest.hpp"

namespace egress::kube {

// Files, and of directories every *.yaml, *.yml and *.json by name (not what is below them); "-" is standard
// input. At most 64 MiB a file. Errors name the file.
result<std::vector<manifest>> read_manifests(const std::vector<std::string>& paths);

}  // namespace egress::kube
