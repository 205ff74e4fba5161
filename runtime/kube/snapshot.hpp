#pragma once
// An immutable set of objects of one kind, by name: a copy shares all that did not change. 256 buckets, so
// that a change copies 256 pointers and one bucket, not 10,000 entries.

#include <array>
#include <cstddef>
#include <memory>
#include <string_view>
#include <vector>

#include "runtime/kube/object.hpp"

namespace egress::kube {

class snapshot {
 public:
  static constexpr std::size_t bucket_count = 256;

  // Null when there is none of that name.
  object_ptr find(std::string_view name) const;
  std::size_t size() const { return size_; }

  template <class Visitor>
  void for_each(Visitor&& visit) const {
    for (const auto& bucket : buckets_)
      if (bucket)
        for (const auto& entry : *bucket) visit(entry);
  }

  // A snapshot with this object in the place of the one of its name.
  snapshot with(object_ptr entry) const;
  snapshot without(std::string_view name) const;

  // The same, on a snapshot that nobody shares yet.
  void put(object_ptr entry);
  void erase(std::string_view name);

 private:
  using bucket = std::vector<object_ptr>;  // sorted by name
  static std::size_t bucket_of(std::string_view name);

  std::array<std::shared_ptr<const bucket>, bucket_count> buckets_{};
  std::size_t size_ = 0;
};

// What an informer publishes. `epoch` counts its full lists: a consumer that remembers what it wrote itself
// forgets it when the epoch changes, since a list may have skipped over intermediate states.
struct published {
  kind of = kind::external_service;
  snapshot objects;
  std::uint64_t epoch = 0;
  bool synced = false;
};

}  // namespace egress::kube
