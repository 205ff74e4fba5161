#include "actors/informer/store.hpp"

#include <algorithm>
#include <iterator>
#include <unordered_set>
#include <utility>

namespace egress::informer {
namespace {

bool same(const kube::object& a, const kube::object& b) {
  return a.meta.uid == b.meta.uid && a.meta.resource_version == b.meta.resource_version;
}

bool equal_external_services(const kube::object& a, const kube::object& b) {
  if (a.of != kube::kind::external_service || !same(a, b) || a.meta.generation != b.meta.generation ||
      a.meta.creation_time != b.meta.creation_time || a.meta.deleting != b.meta.deleting)
    return false;
  const auto &one = a.as_external_service(), &other = b.as_external_service();
  return one.spec == other.spec && one.status == other.status && one.undecodable == other.undecodable;
}

// Who remembers an ExternalService shares it with the snapshot. After a list that shows what was known each
// would be there twice, until something happens to it.
std::vector<kube::object_ptr> shared_with(const kube::snapshot& known, std::vector<kube::object_ptr> items) {
  for (auto& item : items)
    if (const auto before = known.find(item->meta.name); before && equal_external_services(*before, *item))
      item = before;
  return items;
}

}  // namespace

changes store::replace(const std::vector<kube::object_ptr>& listed) {
  changes out{.names = {}, .initial = !current_.synced};
  const auto items = shared_with(current_.objects, listed);
  auto next = kube::snapshot::of(items);
  for (const auto& item : items) {
    // Two of a name: a page that was sent again. The later one counts.
    if (next.find(item->meta.name) != item) continue;
    const auto before = current_.objects.find(item->meta.name);
    if (!before || !same(*before, *item)) out.names.push_back(item->meta.name);
  }
  std::ranges::move(kube::names_gone(current_.objects, next), std::back_inserter(out.names));
  current_.objects = std::move(next);
  current_.synced = true;
  current_.undefined = false;
  ++current_.epoch;
  deletions_.clear();
  return out;
}

changes store::undefine() {
  current_.undefined = true;
  return {};
}

changes store::apply(const std::vector<kube::watch_event>& events) {
  changes out;
  std::unordered_set<std::string_view> seen;
  for (const auto& event : events) {
    if (event.type == kube::event_type::bookmark || !event.object || !apply_one(event)) continue;
    if (seen.insert(event.object->meta.name).second) out.names.push_back(event.object->meta.name);
  }
  return out;
}

bool store::apply_one(const kube::watch_event& event) {
  const auto& object = *event.object;
  const auto& version =
      event.resource_version.empty() ? object.meta.resource_version : event.resource_version;
  const auto before = current_.objects.find(object.meta.name);
  const bool stale = before && older(version, before->meta.resource_version);
  if (event.type == kube::event_type::deleted) {
    if (!before || stale) return false;
    remember_deletion(object, version);
    current_.objects = current_.objects.without(object.meta.name);
    return true;
  }
  if (stale || (before && same(*before, object)) || was_deleted_later(object)) return false;
  current_.objects = current_.objects.with(event.object);
  return true;
}

bool store::was_deleted_later(const kube::object& object) const {
  return std::ranges::any_of(deletions_, [&](const deletion& gone) {
    return gone.name == object.meta.name && older(object.meta.resource_version, gone.resource_version);
  });
}

void store::remember_deletion(const kube::object& object, const std::string& resource_version) {
  if (deletions_.size() == deletions_kept) deletions_.pop_front();
  deletions_.push_back({object.meta.name, object.meta.uid, resource_version});
}

}  // namespace egress::informer
