#pragma once
// What an informer knows of its kind: the snapshot it publishes, and how lists and watch events change it.

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/kube/api.hpp"
#include "runtime/kube/resource_version.hpp"
#include "runtime/kube/snapshot.hpp"

namespace egress::informer {

// Whose objects differ from what was published before. Each name is there once.
struct changes {
  std::vector<std::string> names;
  bool initial = false;  // the first list: not somebody's change, so it may wait behind those
};

class store {
 public:
  // `epochs_before`: of another life of this informer, whose consumers are still there.
  explicit store(kube::kind of, std::uint64_t epochs_before = 0) {
    current_.of = of;
    current_.epoch = epochs_before;
  }

  // A complete list: what is missing in it is gone. Begins a new epoch; synced from here on.
  changes replace(const std::vector<kube::object_ptr>& items);

  // Events of a watch, in order. An event that the store has already seen (the same or an older
  // resourceVersion of that object) changes nothing, nor does one that would bring back what was deleted
  // later.
  changes apply(const std::vector<kube::watch_event>& events);

  // The kind is gone with its definition. What is known stays, for those who would do harm without it, until
  // the next complete list. Changes no object.
  changes undefine();

  const kube::published& current() const { return current_; }

 private:
  bool apply_one(const kube::watch_event& event);
  bool was_deleted_later(const kube::object& object) const;
  void remember_deletion(const kube::object& object, const std::string& resource_version);

  // An apiserver repeats events only from its recent past, so a few deletions are enough to recognise them.
  struct deletion {
    std::string name;
    kube::object_uid uid;
    std::string resource_version;
  };
  static constexpr std::size_t deletions_kept = 256;

  kube::published current_;
  std::deque<deletion> deletions_;
};

using kube::older;

}  // namespace egress::informer
