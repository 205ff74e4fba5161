#pragma once
// Which Envoy the gateways run. Pure.

#include <string_view>

#include "runtime/base/settings.hpp"

namespace egress::envoy {

// ENVOY_IMAGE, or the profile's own.
std::string_view image(const gateway_settings& settings);

// Is it 1.MINOR or later, as far as its tag tells ("envoyproxy/envoy:distroless-v1.40.0")? An image that does
// not tell counts as older: Envoy refuses a configuration with fields that it does not know.
bool image_has(std::string_view image, int minor);

}  // namespace egress::envoy
