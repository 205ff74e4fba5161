#pragma once
// When two JSON values of an API object mean the same: quantities by value, and an empty map, null or empty
// string is like none at all.

#include <string_view>

#include "runtime/kube/json.hpp"

namespace egress::reconciler {

// null, "", {} or []: what the server leaves out.
bool is_empty(const json::value& what);

// key: the member's name the values stand at, or the nearest one above (a quantity is known by it).
bool same(const json::value& a, const json::value& b, bool quantities = false);

// Whether the values below a member of this name are quantities.
bool holds_quantities(std::string_view key);

}  // namespace egress::reconciler
