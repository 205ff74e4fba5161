#pragma once
// The objects of the embedded API server: in memory, each with a resourceVersion of one global count, and the
// recent past for watches and for lists of an earlier moment. Pure; used from one thread.

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/devserver/resource.hpp"
#include "runtime/kube/json.hpp"

namespace egress::dev {

struct object_key {
  std::string name_space;  // "" for a cluster-scoped kind
  std::string name;
  auto operator<=>(const object_key&) const = default;
};

using stored = std::shared_ptr<const json::object>;

enum class change_kind : std::uint8_t { added, modified, deleted };

// One entry of the history.
struct change {
  std::uint64_t version = 0;
  change_kind what = change_kind::added;
  const resource* of = nullptr;
  object_key key;
  stored before;  // null for added
  stored after;   // deleted: the last state, with the deletion's resourceVersion
};
using change_ptr = std::shared_ptr<const change>;

class store {
 public:
  explicit store(std::size_t history = 10'000) : most_history_(history) {}

  // Null when there is none.
  stored find(const resource& of, const object_key& key) const;
  // All of a kind in the order of their keys; name_space "" is all of them.
  std::vector<stored> list(const resource& of, const std::string& name_space) const;
  // The same as it was at an earlier version; nothing when that is compacted away.
  std::optional<std::vector<stored>> list_at(std::uint64_t version, const resource& of,
                                             const std::string& name_space) const;
  // Shows those behind `after` one by one, until `visit` has seen enough and says false. False when that
  // version is compacted away. Costs what is shown, and a copy of all where any of the kind has changed
  // since.
  bool visit_at(std::uint64_t version, const resource& of, const std::string& name_space,
                const object_key& after, const std::function<bool(const stored&)>& visit) const;

  // Writes the object with the next resourceVersion and tells the listener; returns it as stored.
  stored put(const resource& of, const object_key& key, json::object object);
  // Null when there was none.
  stored remove(const resource& of, const object_key& key);

  // Of the latest write. Never 0, which means "any" to clients.
  std::uint64_t version() const { return version_; }
  // The oldest version after which all changes are known.
  std::uint64_t compacted() const { return compacted_; }
  // The changes of a kind after this version, in order; nothing when they are compacted away (410).
  std::optional<std::vector<change_ptr>> changes_after(std::uint64_t version, const resource& of) const;
  // Forgets the history up to now: whoever stands before it gets 410.
  void compact();

  // Called after each change, on the writer's thread. It must not write.
  std::function<void(const change&)> listener = [](const change&) {};

 private:
  using kind_objects = std::map<object_key, stored>;

  bool changed_since(std::uint64_t version, const resource& of) const;
  kind_objects at(std::uint64_t version, const resource& of) const;
  void record(change what);
  std::size_t position_after(std::uint64_t version) const;

  std::map<const resource*, kind_objects> objects_;
  std::deque<change_ptr> history_;
  std::size_t most_history_;
  std::uint64_t version_ = 1, compacted_ = 1;
};

}  // namespace egress::dev
