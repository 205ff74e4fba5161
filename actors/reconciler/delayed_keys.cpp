#include "actors/reconciler/delayed_keys.hpp"

#include <algorithm>

namespace egress::reconciler {

void delayed_keys::add(const std::string& key, priority how, steady_time due) {
  if (const auto found = due_.find(key); found != due_.end()) {
    if (found->second.first <= due) return;
    how = std::min(how, found->second.second);
    erase(key);
  }
  due_.emplace(key, std::pair{due, how});
  order_.emplace(due, key);
}

void delayed_keys::erase(const std::string& key) {
  const auto found = due_.find(key);
  if (found == due_.end()) return;
  order_.erase({found->second.first, key});
  due_.erase(found);
}

std::vector<delayed_keys::due_key> delayed_keys::take_due(steady_time now) {
  std::vector<due_key> out;
  while (!order_.empty() && order_.begin()->first <= now) {
    auto key = order_.begin()->second;
    const auto how = due_.at(key).second;
    erase(key);
    out.push_back({std::move(key), how});
  }
  return out;
}

std::optional<steady_time> delayed_keys::next_due() const {
  if (order_.empty()) return std::nullopt;
  return order_.begin()->first;
}

}  // namespace egress::reconciler
