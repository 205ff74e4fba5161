#pragma once
// Durations as kubectl's columns show them: 45s, 3m20s, 5h, 2d4h, 3y. Pure.

#include <string>
#include <string_view>

#include "runtime/base/time.hpp"

namespace egress::dev {

std::string human_duration(seconds age);
// Since a time of the API; "<unknown>" for none.
std::string age_of(std::string_view rfc3339, wall_time now);

}  // namespace egress::dev
