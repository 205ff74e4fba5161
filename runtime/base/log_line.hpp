#pragma once
// One record as one line, without its time: whatever a name, a message of the API server or a packet put into
// it, the line stays one line of valid UTF-8 (and of valid JSON). Pure.

#include <span>
#include <string>
#include <string_view>

#include "runtime/base/log.hpp"

namespace egress::log {

// `"level":"info","msg":"…","key":"value"`: what stands behind the time in a JSON record.
std::string json_members(log_level level, std::string_view message, std::span<const field> fields);

// `INFO  message key=value other="two words"`
std::string text_line(log_level level, std::string_view message, std::span<const field> fields);

// Appends `text` to `out` with quotes, backslashes and control characters escaped as in JSON (RFC 8259), and
// U+FFFD in the place of bytes that are not UTF-8.
void append_escaped(std::string& out, std::string_view text);

}  // namespace egress::log
