#include <algorithm>
#include <array>
#include <utility>

#include "runtime/devserver/patch.hpp"
#include "runtime/devserver/tree.hpp"

namespace egress::dev {
namespace {

constexpr std::string_view delete_primitives = "$deleteFromPrimitiveList/";
constexpr std::string_view element_order = "$setElementOrder/";

// patchMergeKey of the API's types, by the name of the list. Lists that are not here are replaced whole.
constexpr std::array<std::pair<std::string_view, std::string_view>, 14> merge_keys{{
    {"conditions", "type"},
    {"containers", "name"},
    {"env", "name"},
    {"ephemeralContainers", "name"},
    {"hostAliases", "ip"},
    {"imagePullSecrets", "name"},
    {"initContainers", "name"},
    {"ownerReferences", "uid"},
    {"resourceClaims", "name"},
    {"secrets", "name"},
    {"topologySpreadConstraints", "topologyKey"},
    {"volumeDevices", "devicePath"},
    {"volumeMounts", "mountPath"},
    {"volumes", "name"},
}};

bool has_member(const json::array& items, std::string_view name) {
  return std::ranges::any_of(items, [name](const json::value& item) {
    const auto* const members = item.if_object();
    return members != nullptr && members->contains(name);
  });
}

// "" for a list that is replaced. Two lists are called ports: a container's and a Service's.
std::string_view merge_key_of(std::string_view list, const json::array& base, const json::array& patch) {
  if (list == "ports") {
    if (has_member(base, "containerPort") || has_member(patch, "containerPort")) return "containerPort";
    return "port";
  }
  const auto* const found = std::ranges::find(merge_keys, list, [](const auto& one) { return one.first; });
  return found == merge_keys.end() ? std::string_view{} : found->second;
}

const json::value* key_value(const json::value& item, std::string_view key) {
  const auto* const members = item.if_object();
  return members == nullptr ? nullptr : members->if_contains(key);
}

json::value* item_with(json::array& items, std::string_view key, const json::value& wanted) {
  for (auto& item : items)
    if (const auto* const found = key_value(item, key); found != nullptr && *found == wanted) return &item;
  return nullptr;
}

json::value without_directives(const json::value& from);

json::object without_directives(const json::object& from) {
  json::object clean;
  for (const auto& [name, member] : from)
    if (!std::string_view{name}.starts_with('$') && !member.is_null())
      clean[name] = without_directives(member);
  return clean;
}

json::value without_directives(const json::value& from) {
  if (const auto* const members = from.if_object()) return without_directives(*members);
  const auto* const items = from.if_array();
  if (items == nullptr) return from;
  json::array clean;
  for (const auto& item : *items) clean.push_back(without_directives(item));
  return clean;
}

json::array merged_list(json::array base, const json::array& patch, std::string_view key) {
  const bool replaces = std::ranges::any_of(patch, [](const json::value& item) {
    return item.is_object() && text_at(item.get_object(), {"$patch"}) == "replace";
  });
  if (replaces) base.clear();
  for (const auto& item : patch) {
    const auto* const members = item.if_object();
    const auto* const wanted = key_value(item, key);
    if (members == nullptr || wanted == nullptr) continue;
    auto* const present = item_with(base, key, *wanted);
    if (text_at(*members, {"$patch"}) == "delete") {
      if (present != nullptr) base.erase(base.begin() + (present - base.data()));
    } else if (present != nullptr) {
      *present = strategic_patched(std::move(present->as_object()), *members);
    } else {
      base.push_back(without_directives(item));
    }
  }
  return base;
}

// finalizers: a set of strings.
json::array merged_set(json::array base, const json::array& patch) {
  for (const auto& item : patch)
    if (std::ranges::find(base, item) == base.end()) base.push_back(item);
  return base;
}

void remove_primitives(json::object& from, std::string_view list, const json::value& gone) {
  auto* const present = from.if_contains(list);
  if (present == nullptr || !present->is_array() || !gone.is_array()) return;
  json::array kept;
  for (auto& item : present->get_array())
    if (std::ranges::find(gone.get_array(), item) == gone.get_array().end()) kept.push_back(std::move(item));
  *present = std::move(kept);
}

// Items that the order names come in that order; others follow as they stood.
void set_order(json::object& in, std::string_view list, const json::value& order) {
  auto* const present = in.if_contains(list);
  if (present == nullptr || !present->is_array() || !order.is_array()) return;
  auto& items = present->get_array();
  const auto key = merge_key_of(list, items, order.get_array());
  const auto same = [key](const json::value& a, const json::value& b) {
    const auto* const one = key.empty() ? &a : key_value(a, key);
    const auto* const other = key.empty() ? &b : key_value(b, key);
    return one != nullptr && other != nullptr && *one == *other;
  };
  json::array ordered;
  for (const auto& wanted : order.get_array())
    for (const auto& item : items)
      if (same(item, wanted)) ordered.push_back(item);
  for (const auto& item : items)
    if (std::ranges::find(ordered, item) == ordered.end()) ordered.push_back(item);
  *present = std::move(ordered);
}

void retain_keys(json::object& in, const json::object& patch) {
  const auto* const kept = array_at(patch, {"$retainKeys"});
  if (kept == nullptr) return;
  json::object retained;
  for (const auto& [name, member] : in)
    if (std::ranges::find(*kept, json::value(name)) != kept->end()) retained[name] = member;
  in = std::move(retained);
}

json::value merged_items(std::string_view name, json::array base, const json::array& patch) {
  if (name == "finalizers") return merged_set(std::move(base), patch);
  const auto key = merge_key_of(name, base, patch);
  // Items without the key are not the list that the name suggests (a NetworkPolicy's ports may have none).
  if (key.empty() || (!patch.empty() && !has_member(patch, key)))
    return without_directives(json::value(patch));
  return merged_list(std::move(base), patch, key);
}

void merge_member(json::object& into, std::string_view name, const json::value& change) {
  auto& member = into[name];
  if (change.is_object()) {
    auto base = member.is_object() ? std::move(member.get_object()) : json::object{};
    member = strategic_patched(std::move(base), change.get_object());
  } else if (change.is_array()) {
    auto base = member.is_array() ? std::move(member.get_array()) : json::array{};
    member = merged_items(name, std::move(base), change.get_array());
  } else {
    member = change;
  }
}

}  // namespace

json::object strategic_patched(json::object base, const json::object& patch) {
  const auto directive = text_at(patch, {"$patch"});
  if (directive == "replace") return without_directives(patch);
  if (directive == "delete") return {};
  retain_keys(base, patch);
  for (const auto& [name, change] : patch) {
    const std::string_view member{name};
    if (member.starts_with(delete_primitives))
      remove_primitives(base, member.substr(delete_primitives.size()), change);
    else if (member.starts_with('$'))
      continue;
    else if (change.is_null())
      remove_member(base, member);
    else
      merge_member(base, member, change);
  }
  for (const auto& [name, order] : patch)
    if (std::string_view{name}.starts_with(element_order))
      set_order(base, std::string_view{name}.substr(element_order.size()), order);
  return base;
}

}  // namespace egress::dev
