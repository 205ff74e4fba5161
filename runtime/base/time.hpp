#pragma once
// Time as pure code sees it: a value that comes in as an argument. Only the actors and the I/O read a clock.

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace egress {

// Monotonic; what back-off, deadlines and durations are counted in.
using steady_time = std::chrono::steady_clock::time_point;
// What people read: conditions, Events, leases.
using wall_time = std::chrono::system_clock::time_point;
using std::chrono::milliseconds;
using std::chrono::seconds;

// One instant as pure code gets it: the time, and a random number of that instant, uniform in [0, 1).
struct moment {
  steady_time now;
  double random = 0;
};

// RFC 3339 in UTC with seconds, as metav1.Time is written: 2026-01-02T15:04:05Z.
std::string to_rfc3339(wall_time when);
// With microseconds, as metav1.MicroTime is written.
std::string to_rfc3339_micro(wall_time when);
// Reads both forms and numeric offsets; nothing for anything else.
std::optional<wall_time> from_rfc3339(std::string_view text);

}  // namespace egress
