#pragma once
// The third layer of the work queue: how long a key that failed waits. 5 ms × 2ⁿ, at most 1000 s, and up to
// half of it more at random, so that keys that failed together do not return together.
//
// Whoever's run began before that time (somebody changed something, or a status was written) and failed again
// has not failed once more: it keeps its turn, or waits as long again when that has passed meanwhile. Else
// each failure in other words, whose status starts a run, would count twice.

#include <string>
#include <unordered_map>

#include "runtime/base/time.hpp"

namespace egress::reconciler {

class retry_limiter {
 public:
  // A run of the key, which began at `began`, has failed: how long it waits, `asked` at least.
  milliseconds next(const std::string& key, steady_time began, moment at, milliseconds asked);
  // The key succeeded, or is gone.
  void forget(const std::string& key) { failed_.erase(key); }
  // How often it has failed in a row.
  unsigned failures(const std::string& key) const;

 private:
  struct record {
    unsigned failures = 0;
    steady_time due;
  };
  std::unordered_map<std::string, record> failed_;
};

}  // namespace egress::reconciler
