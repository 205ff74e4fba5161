#include "runtime/kube/snapshot.hpp"

#include <algorithm>
#include <utility>

namespace egress::kube {

// FNV-1a, folded: the same spread on every platform, and names are short.
hashed_name::hashed_name(std::string_view text) : name(text), hash(2166136261U) {
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619U;
  hash ^= hash >> 16U;
}

snapshot::place snapshot::place_of(const hashed_name& what) {
  return {what.hash / fan % fan, what.hash % fan};
}

bool snapshot::entry::operator<(const hashed_name& other) const {
  return hash != other.hash ? hash < other.hash : object->meta.name < other.name;
}

snapshot::bucket::const_iterator snapshot::position(const bucket& in, const hashed_name& what) {
  return std::lower_bound(in.begin(), in.end(), what);
}

bool snapshot::is_at(const bucket& in, bucket::const_iterator position, const hashed_name& what) {
  return position != in.end() && position->hash == what.hash && position->object->meta.name == what.name;
}

const snapshot::bucket* snapshot::bucket_at(place at) const {
  const auto* group = root_ ? root_->groups[at.group].get() : nullptr;
  return group ? (*group)[at.bucket].get() : nullptr;
}

object_ptr snapshot::find(const hashed_name& what) const {
  const auto* here = bucket_at(place_of(what));
  if (!here) return nullptr;
  const auto at = position(*here, what);
  return is_at(*here, at, what) ? at->object : nullptr;
}

snapshot snapshot::with_bucket(place at, std::shared_ptr<const bucket> next, std::size_t size) const {
  auto top = root_ ? std::make_shared<root>(*root_) : std::make_shared<root>();
  const auto& before = top->groups[at.group];
  auto changed = before ? std::make_shared<group>(*before) : std::make_shared<group>();
  (*changed)[at.bucket] = std::move(next);
  top->groups[at.group] = std::move(changed);
  top->size = size;
  snapshot made;
  made.root_ = std::move(top);
  return made;
}

snapshot snapshot::with(object_ptr entry) const {
  const hashed_name name(entry->meta.name);
  const auto where = place_of(name);
  const auto* here = bucket_at(where);
  auto next = std::make_shared<bucket>();
  if (here) {
    next->reserve(here->size() + 1);
    *next = *here;
  }
  const auto at = position(*next, name);
  const bool known = is_at(*next, at, name);
  if (known)
    (*next)[static_cast<std::size_t>(at - next->begin())].object = std::move(entry);
  else
    next->insert(at, {name.hash, std::move(entry)});
  return with_bucket(where, std::move(next), size() + (known ? 0 : 1));
}

snapshot snapshot::without(std::string_view text) const {
  const hashed_name name(text);
  const auto where = place_of(name);
  const auto* here = bucket_at(where);
  if (!here) return *this;
  const auto at = position(*here, name);
  if (!is_at(*here, at, name)) return *this;
  if (here->size() == 1) return with_bucket(where, nullptr, size() - 1);
  auto next = std::make_shared<bucket>();
  next->reserve(here->size() - 1);
  next->insert(next->end(), here->begin(), at);
  next->insert(next->end(), at + 1, here->end());
  return with_bucket(where, std::move(next), size() - 1);
}

snapshot snapshot::of(const std::vector<object_ptr>& entries) {
  std::array<std::array<bucket, fan>, fan> sorted;
  for (const auto& one : entries) {
    const hashed_name name(one->meta.name);
    const auto where = place_of(name);
    auto& here = sorted[where.group][where.bucket];
    const auto at = position(here, name);
    if (is_at(here, at, name))
      here[static_cast<std::size_t>(at - here.begin())].object = one;
    else
      here.insert(at, {name.hash, one});
  }
  auto top = std::make_shared<root>();
  for (std::size_t i = 0; i < fan; ++i) {
    auto made = std::make_shared<group>();
    for (std::size_t j = 0; j < fan; ++j) {
      const auto& all = sorted[i][j];
      if (all.empty()) continue;
      top->size += all.size();
      (*made)[j] = std::make_shared<const bucket>(all.begin(), all.end());  // without the room to grow
    }
    top->groups[i] = std::move(made);
  }
  snapshot whole;
  whole.root_ = std::move(top);
  return whole;
}

std::vector<std::string> names_gone(const snapshot& before, const snapshot& now) {
  std::vector<std::string> gone;
  before.for_each([&](const object_ptr& one) {
    if (!now.find(one->meta.name)) gone.push_back(one->meta.name);
  });
  return gone;
}

}  // namespace egress::kube
