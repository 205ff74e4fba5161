#pragma once
// The environment variables that the program we replace reads (ENVOY_IMAGE, ENABLE_SERVICE_TOPOLOGY_MODE, …),
// checked at start.

#include "runtime/base/options.hpp"

namespace egress {

// Lays the variables over `settings`. An error names the variable, its value, and what it must be.
result<void> apply_environment(environment_lookup environment, gateway_settings& settings);

}  // namespace egress
