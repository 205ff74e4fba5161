#pragma once
// JSON values from and to text. Pure; from any thread.

#include <string>
#include <string_view>

#include "runtime/base/result.hpp"
#include "runtime/kube/json.hpp"

namespace egress::json {

// One JSON text and nothing behind it (RFC 8259); objects and arrays at most 100 deep. An error says what is
// wrong and at which byte. Of members with the same name the last counts.
result<value> parse(std::string_view text);
// The same, for a text that must be an object.
result<object> parse_object(std::string_view text);

// Compact, members in their order.
std::string to_text(const value& what);
std::string to_text(const object& what);
// Compact, members sorted by name (bytewise): equal texts for values that differ in the order only.
std::string canonical_text(const value& what);
std::string canonical_text(const object& what);
// For people: two spaces a level, a newline at the end.
std::string pretty_text(const value& what);

// The text of the member of this name, which lives as long as the object; "" where there is none, or it is no
// string.
std::string_view text_at(const object& in, std::string_view name);

// "an object", "a string", ...: for messages.
std::string_view type_name(const value& what);

}  // namespace egress::json
