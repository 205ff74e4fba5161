#include "runtime/devserver/age.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace egress::dev {

std::string human_duration(seconds age) {
  const auto s = std::max<std::int64_t>(age.count(), 0);
  const auto m = s / 60, h = m / 60, d = h / 24;
  const auto pair = [](std::int64_t whole, const char* unit, std::int64_t rest, const char* part) {
    return rest == 0 ? fmt::format("{}{}", whole, unit) : fmt::format("{}{}{}{}", whole, unit, rest, part);
  };
  // The more it is, the less its small part says.
  if (s < 120) return fmt::format("{}s", s);
  if (m < 10) return pair(m, "m", s % 60, "s");
  if (h < 3) return fmt::format("{}m", m);
  if (h < 8) return pair(h, "h", m % 60, "m");
  if (h < 48) return fmt::format("{}h", h);
  if (d < 8) return pair(d, "d", h % 24, "h");
  if (d < 365 * 2) return fmt::format("{}d", d);
  if (d < 365 * 8) return pair(d / 365, "y", d % 365, "d");
  return fmt::format("{}y", d / 365);
}

std::string age_of(std::string_view rfc3339, wall_time now) {
  const auto since = from_rfc3339(rfc3339);
  if (!since) return "<unknown>";
  return human_duration(std::chrono::duration_cast<seconds>(now - *since));
}

}  // namespace egress::dev
