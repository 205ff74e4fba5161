#include "runtime/base/log.hpp"

#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <atomic>

#include "runtime/base/log_line.hpp"

namespace egress::log {
namespace {

constexpr std::string_view time_pattern = "%Y-%m-%dT%H:%M:%S.%eZ";

// spdlog writes time and body, locks and flushes; the body comes escaped from log_line.
std::shared_ptr<spdlog::logger> make(log_format format) {
  auto logger = std::make_shared<spdlog::logger>("egress", std::make_shared<spdlog::sinks::stderr_sink_mt>());
  const auto pattern = format == log_format::json ? fmt::format("{{\"ts\":\"{}\",%v}}", time_pattern)
                                                  : fmt::format("{} %v", time_pattern);
  logger->set_formatter(std::make_unique<spdlog::pattern_formatter>(pattern, spdlog::pattern_time_type::utc));
  logger->set_level(spdlog::level::trace);  // levels are decided before the line is made
  logger->flush_on(spdlog::level::trace);
  return logger;
}

// Both are made once and never end: logs come from any thread until the last one stops.
spdlog::logger& logger_of(log_format format) {
  static const auto& json = *new std::shared_ptr(make(log_format::json));
  static const auto& text = *new std::shared_ptr(make(log_format::text));
  return format == log_format::json ? *json : *text;
}

std::atomic<log_options> current{log_options{}};

}  // namespace

void write(log_level level, std::string_view message, std::span<const field> fields) {
  const auto options = current.load(std::memory_order_relaxed);
  if (level < options.level) return;
  const auto line = options.format == log_format::json ? json_members(level, message, fields)
                                                       : text_line(level, message, fields);
  logger_of(options.format).log(spdlog::level::info, spdlog::string_view_t(line));
}

void configure(const log_options& options) {
  current.store(options, std::memory_order_relaxed);
}

void debug(std::string_view message, std::initializer_list<field> fields) {
  write(log_level::debug, message, {fields.begin(), fields.size()});
}
void info(std::string_view message, std::initializer_list<field> fields) {
  write(log_level::info, message, {fields.begin(), fields.size()});
}
void warn(std::string_view message, std::initializer_list<field> fields) {
  write(log_level::warn, message, {fields.begin(), fields.size()});
}
void error(std::string_view message, std::initializer_list<field> fields) {
  write(log_level::error, message, {fields.begin(), fields.size()});
}

}  // namespace egress::log
