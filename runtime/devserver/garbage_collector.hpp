#pragma once
// Deletes what has lost its owner, as kube-controller-manager's garbage collector does. Pure.

#include <map>
#include <set>
#include <string>

#include "runtime/base/time.hpp"
#include "runtime/devserver/store.hpp"

namespace egress::dev {

class cluster;

class garbage_collector {
 public:
  explicit garbage_collector(cluster& on) : on_(on) {}

  void observe(const change& what);
  // Collects all that the changes so far left without an owner, and lets go of owners deleted in the
  // foreground.
  void run(wall_time now);
  // Takes the references to this owner out of its dependents: what --cascade=orphan does.
  void orphan(const std::string& owner_uid, wall_time now);

 private:
  struct place {
    const resource* of;
    object_key key;
    auto operator<=>(const place&) const = default;
  };

  void judge(const place& where, wall_time now);
  void drop_references(const place& where, const std::set<std::string>& gone, wall_time now);
  void finish_foreground(const place& where, wall_time now);

  cluster& on_;
  std::map<std::string, place> alive_;                 // by uid
  std::map<std::string, std::set<place>> dependents_;  // by the owner's uid
  std::set<place> to_judge_;
};

}  // namespace egress::dev
