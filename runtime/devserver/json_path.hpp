#pragma once
// The JSONPath of printer columns: members, and list items chosen by one member. Pure.

#include <string_view>

#include "runtime/kube/json.hpp"

namespace egress::dev {

// The first value at a path such as .status.conditions[?(@.type=="Ready")].status; null when there is none.
json::value json_path_first(const json::object& in, std::string_view path);

}  // namespace egress::dev
