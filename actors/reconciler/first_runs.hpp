#pragma once
// Whose status nobody waits for: ExternalServices of a full list that nobody has touched since, until theirs
// was looked at. While others of that list still wait for children, the API server's time goes to those.

#include <string>
#include <unordered_set>

namespace egress::reconciler {

class first_runs {
 public:
  // By a full list, or by somebody.
  void changed(const std::string& key, bool by_list) {
    if (by_list)
      keys_.insert(key);
    else
      keys_.erase(key);
  }
  // It is gone, or its status was looked at.
  void over(const std::string& key) { keys_.erase(key); }
  bool contains(const std::string& key) const { return keys_.contains(key); }

 private:
  std::unordered_set<std::string> keys_;
};

}  // namespace egress::reconciler
