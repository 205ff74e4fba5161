#pragma once
// Messages for people, at most so long. Pure.

#include <string>
#include <string_view>

namespace egress::reconciler {

// At most 1,024 bytes, not cut within a character of UTF-8. The API takes 32,768 characters of a condition;
// ours are short, and a server's, or a list of fields in an Event, may not be.
std::string shortened(std::string message);

// Quoted for a message: what somebody wrote may be long or hold line breaks.
std::string shown(std::string_view text);

}  // namespace egress::reconciler
