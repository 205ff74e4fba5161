#pragma once
// The second layer of the work queue: keys that are due later. (client-go's delaying_queue.)

#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "actors/reconciler/dedupe_queue.hpp"

namespace egress::reconciler {

class delayed_keys {
 public:
  struct due_key {
    std::string key;
    priority how;
  };

  // A key that waits already keeps the earlier of both times.
  void add(const std::string& key, priority how, steady_time due);
  void erase(const std::string& key);
  // Removes and returns the keys that are due.
  std::vector<due_key> take_due(steady_time now);
  // When the first of them is due; nothing when none waits.
  std::optional<steady_time> next_due() const;
  std::size_t size() const { return due_.size(); }

 private:
  std::unordered_map<std::string, std::pair<steady_time, priority>> due_;
  std::set<std::pair<steady_time, std::string>> order_;
};

}  // namespace egress::reconciler
