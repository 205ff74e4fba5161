#pragma once
// The third layer of the work queue: how long a key that failed waits. 5 ms × 2ⁿ, at most 1000 s, and up to
// half of it more at random, so that keys that failed together do not return together. Whoever is run before
// that time (somebody changed something, or a status was written) and fails again has not failed once more:
// it keeps its turn. Else each failure in other words, whose status starts a run, would count twice.

#include <string>
#include <unordered_map>

#include "runtime/base/time.hpp"

namespace egress::reconciler {

class retry_limiter {
 public:
  // Counts a failure of the key; how long it waits.
  milliseconds next(const std::string& key, moment at);
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
