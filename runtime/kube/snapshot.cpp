#include "runtime/kube/snapshot.hpp"

#include <algorithm>
#include <utility>

namespace egress::kube {
namespace {

std::string_view name_of(const object_ptr& entry) {
  return entry->meta.name;
}

}  // namespace

std::size_t snapshot::bucket_of(std::string_view name) {
  // FNV-1a, folded: the same spread on every platform, and names are short.
  std::uint32_t hash = 2166136261U;
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619U;
  return (hash ^ (hash >> 16U)) % bucket_count;
}

object_ptr snapshot::find(std::string_view name) const {
  const auto& here = buckets_[bucket_of(name)];
  if (!here) return nullptr;
  const auto at = std::ranges::lower_bound(*here, name, {}, name_of);
  return at != here->end() && name_of(*at) == name ? *at : nullptr;
}

void snapshot::put(object_ptr entry) {
  const auto name = name_of(entry);
  auto& here = buckets_[bucket_of(name)];
  auto next = std::make_shared<bucket>();
  if (here) {
    next->reserve(here->size() + 1);
    *next = *here;
  }
  const auto at = std::ranges::lower_bound(*next, name, {}, name_of);
  if (at != next->end() && name_of(*at) == name) {
    *at = std::move(entry);
  } else {
    next->insert(at, std::move(entry));
    ++size_;
  }
  here = std::move(next);
}

void snapshot::erase(std::string_view name) {
  auto& here = buckets_[bucket_of(name)];
  if (!here) return;
  const auto at = std::ranges::lower_bound(*here, name, {}, name_of);
  if (at == here->end() || name_of(*at) != name) return;
  --size_;
  if (here->size() == 1) {
    here.reset();
    return;
  }
  auto next = std::make_shared<bucket>();
  next->reserve(here->size() - 1);
  next->insert(next->end(), here->begin(), at);
  next->insert(next->end(), at + 1, here->end());
  here = std::move(next);
}

snapshot snapshot::with(object_ptr entry) const {
  auto copy = *this;
  copy.put(std::move(entry));
  return copy;
}

snapshot snapshot::without(std::string_view name) const {
  auto copy = *this;
  copy.erase(name);
  return copy;
}

}  // namespace egress::kube
