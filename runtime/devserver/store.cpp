#include "runtime/devserver/store.hpp"

#include <algorithm>

namespace egress::dev {
namespace {

std::vector<stored> values_of(const std::map<object_key, stored>& objects, const std::string& name_space) {
  std::vector<stored> found;
  auto at = name_space.empty() ? objects.begin() : objects.lower_bound({name_space, ""});
  for (; at != objects.end() && (name_space.empty() || at->first.name_space == name_space); ++at)
    found.push_back(at->second);
  return found;
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
  const auto kind = objects_.find(&of);
  return kind == objects_.end() ? std::vector<stored>{} : values_of(kind->second, name_space);
}

std::optional<std::vector<stored>> store::list_at(std::uint64_t version, const resource& of,
                                                  const std::string& name_space) const {
  if (version < compacted_ || version > version_) return std::nullopt;
  if (version == version_) return list(of, name_space);
  const auto kind = objects_.find(&of);
  auto then = kind == objects_.end() ? kind_objects{} : kind->second;
  // The past is the present with the changes since then undone, latest first.
  for (auto at = history_.size(); at > position_after(version); --at) {
    const auto& undone = *history_[at - 1];
    if (undone.of != &of) continue;
    if (undone.before)
      then[undone.key] = undone.before;
    else
      then.erase(undone.key);
  }
  return values_of(then, name_space);
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
