#pragma once
// How logs are written: --log-format and --log-level.

#include <cstdint>

namespace egress {

enum class log_format : std::uint8_t { text, json };
enum class log_level : std::uint8_t { debug, info, warn, error };

struct log_options {
  log_format format = log_format::json;
  log_level level = log_level::info;
};

}  // namespace egress
