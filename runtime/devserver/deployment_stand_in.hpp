#pragma once
// Plays the Deployment controller, the scheduler and the kubelets: what a Deployment asks for is there at
// once and ready after a delay. Pure.

#include <map>
#include <optional>
#include <set>
#include <utility>

#include "runtime/base/time.hpp"
#include "runtime/devserver/store.hpp"

namespace egress::dev {

class cluster;

class deployment_stand_in {
 public:
  deployment_stand_in(cluster& on, milliseconds delay) : on_(on), delay_(delay) {}

  void observe(const change& what);
  // Returns when the next Deployment will be ready.
  std::optional<wall_time> run(wall_time now);

  // At most so many pods of this Deployment become ready from now on; nothing lifts the limit.
  void limit_ready(const object_key& key, std::optional<std::int64_t> most);

 private:
  struct progress {
    std::size_t template_hash = 0;  // of the revision that runs
    std::int64_t revision = 0;
    std::optional<wall_time> ready_at;  // then it is in due_
  };

  void begin(const object_key& key, wall_time now);
  void finish(const object_key& key, wall_time now);
  stored mark_revision(const object_key& key, const stored& deployment, wall_time now);
  std::int64_t most_ready(const object_key& key, std::int64_t pods) const;
  void schedule(const object_key& key, std::optional<wall_time> when);

  cluster& on_;
  milliseconds delay_;
  std::map<object_key, progress> all_;
  std::set<object_key> dirty_;                      // their spec changed
  std::set<std::pair<wall_time, object_key>> due_;  // what becomes ready, by when
  std::map<object_key, std::int64_t> limits_;
};

}  // namespace egress::dev
