#pragma once
// The objects of the embedded API server: in memory, each with a resourceVersion of one global count, and the
// recent past for watches. Pure, used from one thread; time comes in as an argument.

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/base/time.hpp"
#include "runtime/kube/json.hpp"

namespace egress::dev {

// What kind of object, by the way it is addressed: {"apps", "v1", "deployments"}.
struct resource_key {
  std::string group, plural;
  auto operator<=>(const resource_key&) const = default;
};

struct object_key {
  std::string name_space;  // "" for a cluster-scoped kind
  std::string name;
  auto operator<=>(const object_key&) const = default;
};

using stored = std::shared_ptr<const json::object>;

enum class change_kind : std::uint8_t { added, modified, deleted };

// One entry of the history. `before` is null for added.
struct change {
  std::uint64_t version = 0;
  change_kind what = change_kind::added;
  resource_key of;
  object_key key;
  stored before, after;  // deleted: after is the last state, with the deletion's resourceVersion
};

class store {
 public:
  explicit store(std::size_t history = 10'000) : most_history_(history) {}

  stored find(const resource_key& of, const object_key& key) const;
  // All of a kind in the order of their keys; name_space "" is all of them.
  std::vector<stored> list(const resource_key& of, const std::string& name_space) const;

  // Writes the object with the next resourceVersion and tells the listener; returns it as stored.
  stored put(const resource_key& of, const object_key& key, json::object object);
  stored remove(const resource_key& of, const object_key& key);

  std::uint64_t version() const { return version_; }
  // The oldest version that changes_after() still knows all changes after.
  std::uint64_t compacted() const { return compacted_; }
  // The changes of a kind after this version, in order; nothing when they are compacted away (410).
  std::optional<std::vector<change>> changes_after(std::uint64_t version, const resource_key& of) const;
  // Forgets the history up to now: every watch from before gets 410.
  void compact();

  // Called after each change, on the writer's thread.
  std::function<void(const change&)> listener = [](const change&) {};

  // Every object of every kind, for owner references and controllers.
  const std::map<resource_key, std::map<object_key, stored>>& all() const { return objects_; }

 private:
  void record(change what);

  std::map<resource_key, std::map<object_key, stored>> objects_;
  std::deque<change> history_;
  std::size_t most_history_;
  std::uint64_t version_ = 0, compacted_ = 0;
};

}  // namespace egress::dev
