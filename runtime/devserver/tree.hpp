#pragma once
// Short ways into a JSON tree. Pure.

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "runtime/kube/json.hpp"

namespace egress::dev {

using path = std::initializer_list<std::string_view>;

// Null when a member on the way is missing or no object.
const json::value* find(const json::object& in, path to);
// "" and `otherwise` when it is missing or of another type.
std::string_view text_at(const json::object& in, path to);
std::int64_t number_at(const json::object& in, path to, std::int64_t otherwise = 0);
bool flag_at(const json::object& in, path to);
// Null when it is missing or of another type.
const json::object* object_at(const json::object& in, path to);
const json::array* array_at(const json::object& in, path to);

// The member as an object, made (or made one) when it isn't.
json::object& object_in(json::object& in, std::string_view name);
// Sets what isn't there yet.
void set_default(json::object& in, std::string_view name, json::value value);
// Removes a member, the order of the others kept.
void remove_member(json::object& in, std::string_view name);
// Removes members that are null, at any depth, as a server does with what it decodes into its own types.
void remove_nulls(json::value& in);

std::string name_of(const json::object& object);
std::string namespace_of(const json::object& object);
std::string uid_of(const json::object& object);
std::string version_of(const json::object& object);
bool being_deleted(const json::object& object);

}  // namespace egress::dev
