#pragma once
// An immutable set of objects of one kind, by name: a copy is one pointer, and shares all. A change copies 16
// pointers twice and one bucket of 256, not 10,000 entries.

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/kube/object.hpp"

namespace egress::kube {

// A name to look for, in several snapshots perhaps. The name is the caller's.
struct hashed_name {
  template <class Text>
    requires std::convertible_to<const Text&, std::string_view>
  hashed_name(const Text& text)
      : hashed_name(std::string_view(text)) {}  // NOLINT(google-explicit-constructor)
  explicit hashed_name(std::string_view text);
  std::string_view name;
  std::uint32_t hash;
};

class snapshot {
 public:
  // Null when there is none of that name.
  object_ptr find(const hashed_name& what) const;
  std::size_t size() const { return root_ ? root_->size : 0; }

  template <class Visitor>
  void for_each(Visitor&& visit) const {
    if (!root_) return;
    for (const auto& group : root_->groups)
      if (group)
        for (const auto& bucket : *group)
          if (bucket)
            for (const auto& [hash, object] : *bucket) visit(object);
  }

  // All of these; of those of one name the last.
  static snapshot of(const std::vector<object_ptr>& entries);

  // A snapshot with this object in the place of the one of its name.
  snapshot with(object_ptr entry) const;
  snapshot without(std::string_view name) const;

  // The same, of this one.
  void put(object_ptr entry) { *this = with(std::move(entry)); }
  void erase(std::string_view name) { *this = without(name); }

 private:
  static constexpr std::size_t fan = 16;
  // The hash beside the pointer: who looks for a name touches no other object.
  struct entry {
    std::uint32_t hash;
    object_ptr object;
    bool operator<(const hashed_name& other) const;
  };
  using bucket = std::vector<entry>;  // sorted by hash, then name
  using group = std::array<std::shared_ptr<const bucket>, fan>;
  struct root {
    std::array<std::shared_ptr<const group>, fan> groups{};
    std::size_t size = 0;
  };
  struct place {
    std::size_t group, bucket;
  };
  static place place_of(const hashed_name& what);
  static bucket::const_iterator position(const bucket& in, const hashed_name& what);
  static bool is_at(const bucket& in, bucket::const_iterator position, const hashed_name& what);
  const bucket* bucket_at(place at) const;
  snapshot with_bucket(place at, std::shared_ptr<const bucket> next, std::size_t size) const;

  std::shared_ptr<const root> root_;  // null: nothing is in it
};

// Who is in the one, and not in the other.
std::vector<std::string> names_gone(const snapshot& before, const snapshot& now);

// What an informer publishes. `epoch` counts its full lists, after all those of its earlier lives: a consumer
// that remembers what it wrote itself forgets it when the epoch changes, since a list may have skipped over
// intermediate states.
struct published {
  kind of = kind::external_service;
  snapshot objects;
  std::uint64_t epoch = 0;
  bool synced = false;
  // The API server does not know the kind: its CustomResourceDefinition is gone. `objects` are the last
  // known.
  bool undefined = false;
};

}  // namespace egress::kube
