#pragma once
// A configuration's files, whole.

#include <string>
#include <string_view>

#include "runtime/base/result.hpp"

namespace egress::kube {

// The error names `what` and the path. An empty file is no error.
result<std::string> read_text_file(const std::string& path, std::string_view what);

}  // namespace egress::kube
