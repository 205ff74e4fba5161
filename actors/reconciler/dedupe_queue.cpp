#include "actors/reconciler/dedupe_queue.hpp"

#include <algorithm>

namespace egress::reconciler {

bool dedupe_queue::add(const std::string& key, priority how, kind_mask changed, steady_time now) {
  const bool busy = processing_.contains(key);
  auto& where = busy ? again_ : queued_;
  const auto [found, fresh] = where.try_emplace(key, waiting{how, changed, now});
  if (changed == 0) found->second.otherwise = std::min(found->second.otherwise, how);
  if (!fresh) {
    found->second.changed |= changed;
    if (how >= found->second.how) return false;
    if (!busy) --depth_of(found->second.how);
    found->second.how = how;
  }
  if (!busy) {
    lane(how).push_back(key);
    ++depth_of(how);
  }
  return fresh;
}

std::optional<dedupe_queue::entry> dedupe_queue::take() {
  for (const auto how : {priority::people, priority::listed, priority::background, priority::last})
    if (auto next = take_from(how)) return next;
  return std::nullopt;
}

std::optional<dedupe_queue::entry> dedupe_queue::take_from(priority how) {
  auto& keys = lane(how);
  while (!keys.empty()) {
    auto key = std::move(keys.front());
    keys.pop_front();
    const auto found = queued_.find(key);
    // Moved to the other lane, and perhaps gone from there.
    if (found == queued_.end() || found->second.how != how) continue;
    entry out{std::move(key), how, found->second.changed, found->second.since};
    queued_.erase(found);
    --depth_of(how);
    processing_.insert(out.key);
    return out;
  }
  return std::nullopt;
}

kind_mask dedupe_queue::changed_meanwhile(const std::string& key) const {
  const auto found = again_.find(key);
  return found == again_.end() ? kind_mask{0} : found->second.changed;
}

void dedupe_queue::put_off(const std::string& key) {
  if (const auto found = again_.find(key); found != again_.end()) found->second.how = found->second.otherwise;
}

bool dedupe_queue::done(const std::string& key, steady_time now) {
  if (processing_.erase(key) == 0) return false;
  const auto found = again_.find(key);
  if (found == again_.end()) return false;
  const auto what = found->second;
  again_.erase(found);
  return add(key, what.how, what.changed, std::min(what.since, now));
}

}  // namespace egress::reconciler
