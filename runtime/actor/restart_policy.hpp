#pragma once
// When a dead actor is started again. Pure: the caller says what time it is.

#include <chrono>
#include <cstdint>
#include <deque>

#include "runtime/base/time.hpp"

namespace egress {

struct restart_limits {
  std::size_t deaths = 5;         // more than these ...
  seconds window{60};             // ... within this time is past the limit
  milliseconds first_delay{100};  // of the second restart in the window; the first has none
  milliseconds longest_delay{10'000};
  bool past_limit_ends_process = false;
};

class restart_policy {
 public:
  explicit restart_policy(restart_limits limits = {}) : limits_(limits) {}

  struct decision {
    bool end_process = false;
    milliseconds delay{0};
  };
  decision on_death(steady_time now);

 private:
  restart_limits limits_;
  std::deque<steady_time> recent_;
};

}  // namespace egress
