#include "runtime/devserver/tree.hpp"

#include <vector>

namespace egress::dev {

const json::value* find(const json::object& in, path to) {
  const json::object* at = &in;
  const json::value* found = nullptr;
  for (const auto name : to) {
    if (at == nullptr) return nullptr;
    found = at->if_contains(name);
    if (found == nullptr) return nullptr;
    at = found->if_object();
  }
  return found;
}

std::string_view text_at(const json::object& in, path to) {
  const auto* found = find(in, to);
  if (found == nullptr || !found->is_string()) return {};
  return {found->get_string().data(), found->get_string().size()};
}

std::int64_t number_at(const json::object& in, path to, std::int64_t otherwise) {
  const auto* found = find(in, to);
  return found != nullptr && found->is_int64() ? found->get_int64() : otherwise;
}

bool flag_at(const json::object& in, path to) {
  const auto* found = find(in, to);
  return found != nullptr && found->is_bool() && found->get_bool();
}

const json::object* object_at(const json::object& in, path to) {
  const auto* found = find(in, to);
  return found == nullptr ? nullptr : found->if_object();
}

const json::array* array_at(const json::object& in, path to) {
  const auto* found = find(in, to);
  return found == nullptr ? nullptr : found->if_array();
}

json::object& object_in(json::object& in, std::string_view name) {
  auto& member = in[name];
  if (!member.is_object()) member = json::object{};
  return member.get_object();
}

void set_default(json::object& in, std::string_view name, json::value value) {
  const auto* present = in.if_contains(name);
  if (present == nullptr || present->is_null()) in[name] = std::move(value);
}

void remove_member(json::object& in, std::string_view name) {
  if (const auto at = in.find(name); at != in.end()) in.stable_erase(at);
}

void remove_nulls(json::value& in) {
  if (auto* const items = in.if_array()) {
    for (auto& item : *items) remove_nulls(item);
  } else if (auto* const members = in.if_object()) {
    std::vector<std::string> empty;
    for (auto& [name, member] : *members) {
      if (member.is_null()) empty.emplace_back(name);
      remove_nulls(member);
    }
    for (const auto& name : empty) remove_member(*members, name);
  }
}

std::string name_of(const json::object& object) {
  return std::string{text_at(object, {"metadata", "name"})};
}
std::string namespace_of(const json::object& object) {
  return std::string{text_at(object, {"metadata", "namespace"})};
}
std::string uid_of(const json::object& object) {
  return std::string{text_at(object, {"metadata", "uid"})};
}
std::string version_of(const json::object& object) {
  return std::string{text_at(object, {"metadata", "resourceVersion"})};
}
bool being_deleted(const json::object& object) {
  return !text_at(object, {"metadata", "deletionTimestamp"}).empty();
}

}  // namespace egress::dev
