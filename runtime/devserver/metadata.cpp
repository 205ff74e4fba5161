#include "runtime/devserver/metadata.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "runtime/devserver/tree.hpp"

namespace egress::dev {
namespace {

constexpr std::string_view status_member = "status";

using names = std::initializer_list<std::string_view>;

// Equal in all members but these, without copying either.
bool equal_but_for(const json::object& a, const json::object& b, names excepted) {
  const auto counts = [excepted](std::string_view name) {
    return std::ranges::find(excepted, name) == excepted.end();
  };
  std::size_t in_a = 0, in_b = 0;
  for (const auto& [name, value] : a) {
    if (!counts(name)) continue;
    ++in_a;
    const auto* const other = b.if_contains(name);
    if (other == nullptr || *other != value) return false;
  }
  for (const auto& member : b) in_b += counts(member.key()) ? 1 : 0;
  return in_a == in_b;
}

void copy_member(json::object& to, const json::object& from, std::string_view name) {
  if (const auto* const value = from.if_contains(name))
    to[name] = *value;
  else
    remove_member(to, name);
}

// What a new object of a kind has as its status.
json::object first_status(const resource& of) {
  if (of.plural == "services") return {{"loadBalancer", json::object{}}};
  if (of.plural == "namespaces") return {{"phase", "Active"}};
  if (of.plural == "horizontalpodautoscalers") return {{"currentReplicas", 0}, {"desiredReplicas", 0}};
  if (of.plural == "poddisruptionbudgets")
    return {{"disruptionsAllowed", 0}, {"currentHealthy", 0}, {"desiredHealthy", 0}, {"expectedPods", 0}};
  return {};
}

}  // namespace

void set_created(const resource& of, json::object& object, std::string uid, wall_time now) {
  auto& metadata = object_in(object, "metadata");
  for (const auto* const name : {"resourceVersion", "deletionTimestamp", "deletionGracePeriodSeconds",
                                 "generation", "selfLink", "managedFields", "generateName"})
    if (name != std::string_view{"generateName"} || text_at(metadata, {"name"}).empty())
      remove_member(metadata, name);
  metadata["uid"] = std::move(uid);
  metadata["creationTimestamp"] = to_rfc3339(now);
  if (of.generation) metadata["generation"] = 1;
}

void keep_system_fields(json::object& object, const json::object& old) {
  auto& metadata = object_in(object, "metadata");
  const auto& before = old.at("metadata").as_object();
  for (const auto* const name :
       {"name", "namespace", "uid", "creationTimestamp", "generation", "deletionTimestamp",
        "deletionGracePeriodSeconds", "resourceVersion", "generateName"})
    copy_member(metadata, before, name);
  remove_member(metadata, "managedFields");
  remove_member(metadata, "selfLink");
  for (const auto* const name : {"labels", "annotations", "ownerReferences", "finalizers"}) {
    const auto* const value = metadata.if_contains(name);
    const bool empty =
        value != nullptr && (value->is_null() || (value->is_object() && value->get_object().empty()) ||
                             (value->is_array() && value->get_array().empty()));
    if (empty) remove_member(metadata, name);
  }
}

void count_generation(const resource& of, json::object& object, const json::object& old) {
  if (!of.generation) return;
  if (equal_but_for(object, old, {"metadata", status_member})) return;
  object_in(object, "metadata")["generation"] = number_at(old, {"metadata", "generation"}, 0) + 1;
}

bool same_object(const json::object& a, const json::object& b) {
  if (!equal_but_for(a, b, {"metadata"})) return false;
  const auto* const one = object_at(a, {"metadata"});
  const auto* const other = object_at(b, {"metadata"});
  return one != nullptr && other != nullptr && equal_but_for(*one, *other, {"resourceVersion"});
}

void isolate_status(const resource& of, json::object& object, const json::object* old) {
  if (!of.status) return;
  remove_member(object, status_member);
  if (old != nullptr) {
    if (const auto* const status = old->if_contains(status_member)) object[status_member] = *status;
    return;
  }
  if (auto status = first_status(of); !of.custom()) object[status_member] = std::move(status);
}

json::object with_status(const json::object& old, const json::object& changed) {
  auto result = old;
  copy_member(result, changed, status_member);
  return result;
}

outcome<void> check_preconditions(const resource& of, const json::object& present, std::string_view uid,
                                  std::string_view resource_version) {
  const auto name = name_of(present);
  if (!uid.empty() && uid != uid_of(present))
    return conflict(of, name,
                    fmt::format("Precondition failed: UID in precondition: {}, UID in object meta: {}", uid,
                                uid_of(present)));
  if (!resource_version.empty() && resource_version != version_of(present)) return stale(of, name);
  return {};
}

bool has_finalizers(const json::object& object) {
  const auto* const all = array_at(object, {"metadata", "finalizers"});
  return all != nullptr && !all->empty();
}

void add_finalizer(json::object& object, std::string_view name) {
  auto& metadata = object_in(object, "metadata");
  auto& all = metadata["finalizers"];
  if (!all.is_array()) all = json::array{};
  if (std::ranges::find(all.get_array(), json::value(name)) == all.get_array().end())
    all.get_array().emplace_back(name);
}

void mark_deleted(json::object& object, wall_time now) {
  auto& metadata = object_in(object, "metadata");
  set_default(metadata, "deletionTimestamp", json::value(to_rfc3339(now)));
  set_default(metadata, "deletionGracePeriodSeconds", 0);
}

}  // namespace egress::dev
