#pragma once
// Access-log entries: one line on stdout a connection (or a request to the admin port). Pure.

#include <span>
#include <string_view>
#include <utility>

#include "runtime/kube/json.hpp"

namespace egress::envoy {

// The formats that upstream logs in.
extern const std::string_view cluster_log_text, admin_log_text;

using log_field = std::pair<std::string_view, std::string_view>;  // key, format
std::span<const log_field> compatible_log_fields();

// What a hardened gateway logs of a connection: with response flags, and the address that it really went to
// (%UPSTREAM_HOST% is the last that was tried).
extern const std::string_view hardened_log_text;
std::span<const log_field> hardened_log_fields();

// envoy.stdout_access_log with a text format, which ends in a newline.
json::object text_access_log(const json::storage_ptr& in, std::string_view format);
// The same with one JSON object a line.
json::object json_access_log(const json::storage_ptr& in, std::span<const log_field> fields);

}  // namespace egress::envoy
