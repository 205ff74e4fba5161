#pragma once
// The third layer of the work queue: how long a key that failed waits. 5 ms × 2ⁿ, at most 1000 s, and up to
// half of it more at random, so that keys that failed together do not return together.

#include <string>
#include <unordered_map>

#include "runtime/base/time.hpp"

namespace egress::reconciler {

class retry_limiter {
 public:
  // Counts a failure of the key; random is uniform in [0, 1).
  milliseconds next(const std::string& key, double random);
  // The key succeeded, or is gone.
  void forget(const std::string& key) { failures_.erase(key); }
  // How often it has failed in a row.
  unsigned failures(const std::string& key) const;

 private:
  std::unordered_map<std::string, unsigned> failures_;
};

}  // namespace egress::reconciler
