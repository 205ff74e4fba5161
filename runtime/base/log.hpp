#pragma once
// Structured logs on stderr: log::info("reconciled", {"externalservice", name}, {"took_ms", 3}). One line a
// record, text or JSON (keys ts, level, msg, then the fields). Thread-safe. Pure code does not log: its
// outcomes carry the text.

#include <fmt/format.h>

#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

#include "runtime/base/log_options.hpp"

namespace egress::log {

struct field {
  template <class T>
  field(std::string_view k, const T& v) : key(k), value(fmt::format("{}", v)) {
    bare = std::is_integral_v<T> && !std::is_same_v<T, char>;
  }
  std::string_view key;
  std::string value;
  bool bare = false;  // a number or a boolean: JSON without quotes
};

// Until it is called, and with the defaults of log_options: JSON from level info on. From any thread.
void configure(const log_options& options);
void debug(std::string_view message, std::initializer_list<field> fields = {});
void info(std::string_view message, std::initializer_list<field> fields = {});
void warn(std::string_view message, std::initializer_list<field> fields = {});
void error(std::string_view message, std::initializer_list<field> fields = {});

// For what pure code returned to be said.
void write(log_level level, std::string_view message, std::span<const field> fields);

}  // namespace egress::log
