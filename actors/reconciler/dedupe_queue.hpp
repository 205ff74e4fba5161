#pragma once
// The first layer of the work queue: each key is queued once, and never processed twice at once. A key that
// is added while it is processed is queued again when that is done. (client-go's workqueue.Type.)

#include <array>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>

#include "runtime/base/time.hpp"

namespace egress::reconciler {

// Which child kinds changed: bit kube::child_index(kind).
using kind_mask = std::uint8_t;

enum class priority : std::uint8_t {
  people,      // somebody changed something
  listed,      // the initial list: it waits for its children
  background,  // looking again
  last,        // what can wait until nobody waits for children: a first status, what its run wrote
};
constexpr std::size_t priorities = 4;

class dedupe_queue {
 public:
  struct entry {
    std::string key;
    priority how = priority::background;
    kind_mask changed = 0;
    steady_time since;  // queued since
  };

  // True when the key was not queued yet. A key that is queued keeps the more urgent priority and all its
  // bits.
  bool add(const std::string& key, priority how, kind_mask changed, steady_time now);
  // The most urgent key, the oldest of those; it is being processed until done().
  std::optional<entry> take();
  // Of a key that is processed: the bits that were added meanwhile.
  kind_mask changed_meanwhile(const std::string& key) const;
  // And that it is queued again for them with priority::last. What brought no bits keeps its priority.
  void put_off(const std::string& key);
  // True when the key was added meanwhile and is queued again.
  bool done(const std::string& key, steady_time now);

  std::size_t depth() const { return queued_.size(); }
  // How many of that priority are queued.
  std::size_t depth(priority how) const { return depths_[static_cast<std::size_t>(how)]; }

 private:
  struct waiting {
    priority how;
    kind_mask changed;
    steady_time since;
    priority otherwise = priority::last;  // the most urgent of those that brought no bits
  };
  std::optional<entry> take_from(priority how);
  std::size_t& depth_of(priority how) { return depths_[static_cast<std::size_t>(how)]; }
  std::deque<std::string>& lane(priority how) { return lanes_[static_cast<std::size_t>(how)]; }

  std::unordered_map<std::string, waiting> queued_;
  std::unordered_map<std::string, waiting> again_;  // added while processed
  std::unordered_set<std::string> processing_;
  std::array<std::deque<std::string>, priorities> lanes_;  // may hold keys that have left or changed lanes
  std::array<std::size_t, priorities> depths_{};
};

}  // namespace egress::reconciler
