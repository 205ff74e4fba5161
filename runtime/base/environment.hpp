#pragma once
// The environment variables that the program we replace reads (ENVOY_IMAGE, ENABLE_SERVICE_TOPOLOGY_MODE, …),
// checked at start.

#include <span>
#include <string_view>

#include "runtime/base/result.hpp"
#include "runtime/base/settings.hpp"

namespace egress {

// A variable's value, or null where it is unset: std::getenv, or a test's.
using environment_lookup = const char* (*)(const char* name);

// Lays the variables over `settings`. An error names the variable, its value, and what it must be.
result<void> apply_environment(environment_lookup environment, gateway_settings& settings);

// One line of help.
struct variable_help {
  std::string_view name, meaning;
};
std::span<const variable_help> environment_help();

}  // namespace egress
