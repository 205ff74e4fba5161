#pragma once
// What an unquoted YAML scalar means to kubectl (YAML 1.1 as Go's library reads it): y, on and off are
// booleans, 017 is fifteen, 08 eight, 1e3 a thousand, 1:20 and 2001-01-01 are strings. Pure.

#include <string>
#include <string_view>

#include "runtime/base/result.hpp"
#include "runtime/kube/json.hpp"

namespace egress::kube {

// tag: "" or "?" for a plain scalar, "!" for a quoted one, otherwise the tag as the file has it. An error
// says what is wrong, without the place.
result<json::value> resolve_scalar(std::string_view tag, std::string_view text);

// The name of a member: as JSON has it, "true" for true and "8" for 010. null is an error.
result<std::string> resolve_key(std::string_view tag, std::string_view text);

}  // namespace egress::kube
