#include "runtime/devserver/garbage_collector.hpp"

#include <algorithm>
#include <utility>

#include "runtime/devserver/cluster.hpp"
#include "runtime/devserver/metadata.hpp"
#include "runtime/devserver/tree.hpp"

namespace egress::dev {
namespace {

constexpr std::string_view foreground_finalizer = "foregroundDeletion";

std::set<std::string> owners_of(const stored& object) {
  std::set<std::string> found;
  const auto* const references = object ? array_at(*object, {"metadata", "ownerReferences"}) : nullptr;
  if (references == nullptr) return found;
  for (const auto& one : *references)
    if (one.is_object()) found.emplace(text_at(one.get_object(), {"uid"}));
  return found;
}

bool waits_for_dependents(const json::object& object) {
  const auto* const all = array_at(object, {"metadata", "finalizers"});
  return all != nullptr && std::ranges::find(*all, json::value(foreground_finalizer)) != all->end();
}

}  // namespace

void garbage_collector::observe(const change& what) {
  const place where{what.of, what.key};
  const bool gone = what.what == change_kind::deleted;
  for (const auto& owner : owners_of(what.before)) {
    if (const auto at = dependents_.find(owner); at != dependents_.end()) {
      at->second.erase(where);
      if (at->second.empty()) dependents_.erase(at);
    }
    // An owner that is deleted in the foreground may have waited for this one.
    if (const auto at = alive_.find(owner); at != alive_.end()) to_judge_.insert(at->second);
  }
  if (gone) {
    const auto uid = uid_of(*what.before);
    alive_.erase(uid);
    if (const auto at = dependents_.find(uid); at != dependents_.end())
      to_judge_.insert(at->second.begin(), at->second.end());
    return;
  }
  alive_.insert_or_assign(uid_of(*what.after), where);
  const auto owners = owners_of(what.after);
  for (const auto& owner : owners) dependents_[owner].insert(where);
  if (!owners.empty() || being_deleted(*what.after)) to_judge_.insert(where);
}

void garbage_collector::run(wall_time now) {
  // Deleting an object may leave others without an owner: until nothing is left to judge.
  while (!to_judge_.empty()) judge(to_judge_.extract(to_judge_.begin()).value(), now);
}

void garbage_collector::judge(const place& where, wall_time now) {
  const auto object = on_.objects().find(*where.of, where.key);
  if (!object) return;
  if (being_deleted(*object)) return finish_foreground(where, now);
  std::set<std::string> gone;
  const auto owners = owners_of(object);
  for (const auto& owner : owners)
    if (!alive_.contains(owner)) gone.insert(owner);
  if (gone.empty()) return;
  if (gone.size() < owners.size()) return drop_references(where, gone, now);
  delete_options with;
  with.uid = uid_of(*object);
  with.now = now;
  static_cast<void>(on_.remove(*where.of, where.key, with));
}

void garbage_collector::drop_references(const place& where, const std::set<std::string>& gone,
                                        wall_time now) {
  const auto object = on_.objects().find(*where.of, where.key);
  if (!object) return;
  auto changed = *object;
  const auto* const references = array_at(*object, {"metadata", "ownerReferences"});
  if (references == nullptr) return;
  json::array kept;
  for (const auto& one : *references)
    if (!one.is_object() || !gone.contains(std::string{text_at(one.get_object(), {"uid"})}))
      kept.push_back(one);
  object_in(changed, "metadata")["ownerReferences"] = std::move(kept);
  write_options with;
  with.now = now;
  static_cast<void>(on_.replace(*where.of, where.key, std::move(changed), with));
}

void garbage_collector::orphan(const std::string& owner_uid, wall_time now) {
  const auto at = dependents_.find(owner_uid);
  if (at == dependents_.end()) return;
  for (const auto& where : std::set<place>{at->second}) drop_references(where, {owner_uid}, now);
}

void garbage_collector::finish_foreground(const place& where, wall_time now) {
  auto object = on_.objects().find(*where.of, where.key);
  if (!waits_for_dependents(*object)) return;
  const auto uid = uid_of(*object);
  if (const auto at = dependents_.find(uid); at != dependents_.end()) {
    for (const auto& one : std::set<place>{at->second}) {
      delete_options with;
      with.now = now;
      static_cast<void>(on_.remove(*one.of, one.key, with));
    }
  }
  if (dependents_.contains(uid)) return;
  object = on_.objects().find(*where.of, where.key);
  if (!object) return;
  json::array kept;
  for (const auto& one : *array_at(*object, {"metadata", "finalizers"}))
    if (one != json::value(foreground_finalizer)) kept.push_back(one);
  auto changed = *object;
  object_in(changed, "metadata")["finalizers"] = std::move(kept);
  write_options with;
  with.now = now;
  static_cast<void>(on_.replace(*where.of, where.key, std::move(changed), with));
}

}  // namespace egress::dev
