#include "runtime/devserver/schema.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "runtime/base/time.hpp"
#include "runtime/devserver/tree.hpp"
#include "runtime/kube/json_text.hpp"

namespace egress::dev {
namespace {

bool is_integer(const json::value& what) {
  return what.is_int64() || what.is_uint64() ||
         (what.is_double() && what.get_double() == std::trunc(what.get_double()));
}

bool has_type(const json::value& what, std::string_view type) {
  if (type == "object") return what.is_object();
  if (type == "array") return what.is_array();
  if (type == "string") return what.is_string();
  if (type == "boolean") return what.is_bool();
  if (type == "integer") return is_integer(what);
  if (type == "number") return what.is_number();
  return true;
}

// `at` is the path so far, "" at the root; `old` is null where the stored object has nothing.
class walk {
 public:
  explicit walk(schema_findings& found) : found_(found) {}

  void object(const json::object& schema, json::object& what, const json::object* old,
              const std::string& at) {
    const auto* const known = object_at(schema, {"properties"});
    const auto* const others = object_at(schema, {"additionalProperties"});
    if (known == nullptr && others == nullptr) return;
    std::vector<std::string> unknown;
    for (auto& [name, member] : what) {
      const auto* const before = old == nullptr ? nullptr : old->if_contains(name);
      const auto* const property = known == nullptr ? nullptr : known->if_contains(name);
      const auto* const judge = property != nullptr ? property->if_object() : others;
      if (judge == nullptr)
        unknown.emplace_back(name);
      else
        value(*judge, member, before, inside(at, name));
    }
    for (const auto& name : unknown) {
      found_.unknown.push_back(inside(at, name));
      remove_member(what, name);
    }
    required(schema, what, at);
  }

 private:
  static std::string inside(const std::string& at, std::string_view name) {
    return at.empty() ? std::string{name} : fmt::format("{}.{}", at, name);
  }

  void value(const json::object& schema, json::value& what, const json::value* old, const std::string& at) {
    const bool same = old != nullptr && *old == what;
    if (flag_at(schema, {"x-kubernetes-int-or-string"})) {
      if (!same && !what.is_string() && !is_integer(what)) wrong_type(what, "integer,string", at);
      return;
    }
    if (const auto type = text_at(schema, {"type"}); !has_type(what, type)) {
      if (!same) wrong_type(what, type, at);
      return;
    }
    if (auto* const members = what.if_object())
      object(schema, *members, old == nullptr ? nullptr : old->if_object(), at);
    if (auto* const items = what.if_array())
      array(schema, *items, old == nullptr ? nullptr : old->if_array(), at);
    if (!same) limits(schema, what, at);
  }

  void array(const json::object& schema, json::array& items, const json::array* old, const std::string& at) {
    const auto* const each = object_at(schema, {"items"});
    if (each == nullptr) return;
    for (std::size_t i = 0; i < items.size(); ++i) {
      const auto* const before = old != nullptr && i < old->size() ? &(*old)[i] : nullptr;
      value(*each, items[i], before, fmt::format("{}[{}]", at, i));
    }
  }

  void required(const json::object& schema, const json::object& what, const std::string& at) {
    const auto* const names = array_at(schema, {"required"});
    if (names == nullptr) return;
    for (const auto& name : *names)
      if (name.is_string() && !what.contains(name.get_string()))
        wrong("FieldValueRequired", "Required value", inside(at, name.get_string()));
  }

  void limits(const json::object& schema, const json::value& what, const std::string& at) {
    if (what.is_number()) number_limits(schema, what, at);
    if (what.is_string()) text_limits(schema, what.get_string(), at);
    if (const auto* const allowed = array_at(schema, {"enum"})) listed(*allowed, what, at);
    const auto most = number_at(schema, {"maxItems"}, -1);
    if (what.is_array() && most >= 0 && std::cmp_greater(what.get_array().size(), most))
      wrong("FieldValueTooMany",
            fmt::format("Too many: {}: must have at most {} items", what.get_array().size(), most), at);
  }

  void number_limits(const json::object& schema, const json::value& what, const std::string& at) {
    const auto number = what.to_number<double>();
    const auto* const least = find(schema, {"minimum"});
    const auto* const most = find(schema, {"maximum"});
    if (least != nullptr && number < least->to_number<double>())
      beyond(what, "greater than or equal to", *least, at);
    if (most != nullptr && number > most->to_number<double>())
      beyond(what, "less than or equal to", *most, at);
  }

  void text_limits(const json::object& schema, const json::string& text, const std::string& at) {
    const auto longest = number_at(schema, {"maxLength"}, -1);
    if (longest >= 0 && std::cmp_greater(text.size(), longest))
      wrong("FieldValueTooLong", fmt::format("Too long: may not be more than {} bytes", longest), at);
    if (text_at(schema, {"format"}) == "date-time" && !from_rfc3339({text.data(), text.size()}))
      wrong("FieldValueInvalid",
            fmt::format("Invalid value: \"{0}\": {1} in body must be of type date-time: \"{0}\"",
                        std::string_view{text}, at),
            at);
  }

  void listed(const json::array& allowed, const json::value& what, const std::string& at) {
    if (std::ranges::find(allowed, what) != allowed.end()) return;
    std::string all;
    for (const auto& one : allowed) all += (all.empty() ? "" : ", ") + json::to_text(one);
    wrong("FieldValueNotSupported",
          fmt::format("Unsupported value: {}: supported values: {}", json::to_text(what), all), at);
  }

  void beyond(const json::value& what, std::string_view how, const json::value& limit,
              const std::string& at) {
    wrong("FieldValueInvalid",
          fmt::format("Invalid value: {}: {} in body should be {} {}", json::to_text(what), at, how,
                      json::to_text(limit)),
          at);
  }

  void wrong_type(const json::value& what, std::string_view type, const std::string& at) {
    wrong("FieldValueTypeInvalid",
          fmt::format("Invalid value: {}: {} in body must be of type {}", json::to_text(what), at, type), at);
  }

  void wrong(std::string reason, std::string message, std::string at) {
    found_.wrong.push_back({std::move(reason), std::move(message), std::move(at)});
  }

  schema_findings& found_;
};

}  // namespace

schema_findings apply_schema(const json::object& schema, json::object& object, const json::object* old) {
  schema_findings found;
  walk(found).object(schema, object, old, "");
  return found;
}

}  // namespace egress::dev
