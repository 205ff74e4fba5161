#include "actors/reconciler/sameness.hpp"

#include <algorithm>

#include "runtime/kube/quantity.hpp"

namespace egress::reconciler {
namespace {

using kube::place;

bool same_quantity(const json::value& a, const json::value& b) {
  const auto left = kube::quantity::parse(a), right = kube::quantity::parse(b);
  return left && right && *left == *right;
}

// Each member of a is the same in b, or says nothing; and so does what only b has. What both have is compared
// once: twice would be twice at each level, and a pod's probe is nine levels deep.
bool same_members(const json::object& a, const json::object& b, std::string_view name) {
  return std::ranges::all_of(a,
                             [&](const auto& member) {
                               const place at{member.key(), name};
                               const auto* other = b.if_contains(member.key());
                               return other ? same(member.value(), *other, at)
                                            : says_nothing(member.value(), at);
                             }) &&
         std::ranges::all_of(b, [&](const auto& member) {
           return a.contains(member.key()) || says_nothing(member.value(), {member.key(), name});
         });
}

}  // namespace

bool says_nothing(const json::value& what, place at) {
  if (const auto* text = what.if_string()) return text->empty() && !kube::keys_are_chosen(at.parent);
  if (const auto* items = what.if_array()) return items->empty();
  if (const auto* members = what.if_object())
    return !kube::empty_says_something(at.name) && std::ranges::all_of(*members, [&](const auto& member) {
      return says_nothing(member.value(), {member.key(), at.name});
    });
  return what.is_null();
}

bool same(const json::value& a, const json::value& b, place at) {
  if (a.is_object() && b.is_object()) return same_members(a.get_object(), b.get_object(), at.name);
  if (a.is_array() && b.is_array())
    return std::ranges::equal(a.get_array(), b.get_array(),
                              [](const auto& x, const auto& y) { return same(x, y, {}); });
  if (says_nothing(a, at) && says_nothing(b, at)) return true;
  return a == b || (kube::is_quantity(at) && same_quantity(a, b));
}

}  // namespace egress::reconciler
