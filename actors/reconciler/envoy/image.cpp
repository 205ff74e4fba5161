#include "actors/reconciler/envoy/image.hpp"

#include <algorithm>
#include <charconv>
#include <system_error>

namespace egress::envoy {
namespace {

// "" without one: a colon before the last slash is a registry's port.
std::string_view tag_of(std::string_view image) {
  image = image.substr(0, image.find('@'));
  const auto colon = image.rfind(':');
  if (colon == std::string_view::npos || image.substr(colon).contains('/')) return {};
  return image.substr(colon + 1);
}

}  // namespace

std::string_view image(const gateway_settings& settings) {
  if (!settings.image.empty()) return settings.image;
  return settings.profile == gateway_profile::compatible ? "envoyproxy/envoy:v1.25.9"
                                                         : "envoyproxy/envoy:v1.40.0";
}

bool image_has(std::string_view image, int minor) {
  auto version = tag_of(image);
  version.remove_prefix(std::min(version.find_first_of("0123456789"), version.size()));
  int found_major = 0, found_minor = 0;
  const auto* const end = version.data() + version.size();
  const auto major = std::from_chars(version.data(), end, found_major);
  if (major.ec != std::errc{} || major.ptr == end || *major.ptr != '.') return false;
  if (std::from_chars(major.ptr + 1, end, found_minor).ec != std::errc{}) return false;
  return found_major > 1 || (found_major == 1 && found_minor >= minor);
}

}  // namespace egress::envoy
