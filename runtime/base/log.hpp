#pragma once
// Structured logs on stderr: log::info("reconciled", {"externalservice", name}, {"took_ms", 3}). One line a
// record, text or JSON (keys ts, level, msg, then the fields). Thread-safe. Pure code does not log: its
// outcomes carry the text.

#include <fmt/format.h>

#include <initializer_list>
#include <string>
#include <string_view>

#include "runtime/base/options.hpp"

namespace egress::log {

struct field {
  template <class T>
  field(std::string_view k, const T& v) : key(k), value(fmt::format("{}", v)) {}
  std::string_view key;
  std::string value;
};

void configure(const log_options& options);
void debug(std::string_view message, std::initializer_list<field> fields = {});
void info(std::string_view message, std::initializer_list<field> fields = {});
void warn(std::string_view message, std::initializer_list<field> fields = {});
void error(std::string_view message, std::initializer_list<field> fields = {});

}  // namespace egress::log
