#include "runtime/devserver/store.hpp"

#include <algorithm>

namespace egress::dev {
namespace {

using kind_objects = std::map<object_key, stored>;

void visit_behind(const kind_objects& objects, const std::string& name_space, const object_key& after,
                  const std::function<bool(const stored&)>& visit) {
  auto next = objects.upper_bound(std::max(after, object_key{name_space, ""}));
  for (; next != objects.end() && (name_space.empty() || next->first.name_space == name_space); ++next)
    if (!visit(next->second)) return;
}

stored with_version(json::object object, std::uint64_t version) {
  auto& metadata = object["metadata"];
  if (!metadata.is_object()) metadata = json::object{};
  metadata.as_object()["resourceVersion"] = std::to_string(version);
  return std::make_shared<const json::object>(std::move(object));
}

}  // namespace

stored store::find(const resource& of, const object_key& key) const {
  const auto kind = objects_.find(&of);
  if (kind == objects_.end()) return nullptr;
  const auto at = kind->second.find(key);
  return at == kind->second.end() ? nullptr : at->second;
}

std::vector<stored> store::list(const resource& of, const std::string& name_space) const {
  return *list_at(version_, of, name_space);
}

std::optional<std::vector<stored>> store::list_at(std::uint64_t version, const resource& of,
                                                  const std::string& name_space) const {
  std::vector<stored> found;
  const auto take = [&found](const stored& one) {
    found.push_back(one);
    return true;
  };
  return visit_at(version, of, name_space, {}, take) ? std::optional{std::move(found)} : std::nullopt;
}

bool store::visit_at(std::uint64_t version, const resource& of, const std::string& name_space,
                     const object_key& after, const std::function<bool(const stored&)>& visit) const {
  if (version < compacted_ || version > version_) return false;
  if (changed_since(version, of))
    visit_behind(at(version, of), name_space, after, visit);
  else if (const auto kind = objects_.find(&of); kind != objects_.end())
    visit_behind(kind->second, name_space, after, visit);
  return true;
}

bool store::changed_since(std::uint64_t version, const resource& of) const {
  for (auto at = position_after(version); at < history_.size(); ++at)
    if (history_[at]->of == &of) return true;
  return false;
}

// The past is the present with the changes since then undone, latest first.
store::kind_objects store::at(std::uint64_t version, const resource& of) const {
  const auto kind = objects_.find(&of);
  auto then = kind == objects_.end() ? kind_objects{} : kind->second;
  for (auto at = history_.size(); at > position_after(version); --at) {
    const auto& undone = *history_[at - 1];
    if (undone.of != &of) continue;
    if (undone.before)
      then[undone.key] = undone.before;
    else
      then.erase(undone.key);
  }
  return then;
}

stored store::put(const resource& of, const object_key& key, json::object object) {
  auto& slot = objects_[&of][key];
  const auto before = slot;
  slot = with_version(std::move(object), ++version_);
  const auto after = slot;
  record({version_, before ? change_kind::modified : change_kind::added, &of, key, before, after});
  return after;
}

stored store::remove(const resource& of, const object_key& key) {
  auto& objects = objects_[&of];
  const auto at = objects.find(key);
  if (at == objects.end()) return nullptr;
  const auto before = at->second;
  objects.erase(at);
  auto last = with_version(*before, ++version_);
  record({version_, change_kind::deleted, &of, key, before, last});
  return last;
}

// Versions follow each other without gaps, so a version's place in the history is arithmetic.
std::size_t store::position_after(std::uint64_t version) const {
  if (history_.empty() || version < history_.front()->version) return 0;
  return std::min<std::size_t>(version - history_.front()->version + 1, history_.size());
}

std::optional<std::vector<change_ptr>> store::changes_after(std::uint64_t version, const resource& of) const {
  if (version < compacted_) return std::nullopt;
  std::vector<change_ptr> found;
  for (auto at = position_after(version); at < history_.size(); ++at)
    if (history_[at]->of == &of) found.push_back(history_[at]);
  return found;
}

void store::compact() {
  history_.clear();
  compacted_ = version_;
}

void store::record(change what) {
  history_.push_back(std::make_shared<const change>(std::move(what)));
  const auto latest = history_.back();
  while (history_.size() > most_history_) {
    compacted_ = history_.front()->version;
    history_.pop_front();
  }
  listener(*latest);
}

}  // namespace egress::dev
