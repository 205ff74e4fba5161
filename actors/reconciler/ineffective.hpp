#pragma once
// Fields that a write did not change, although the server accepted it: a newer server's default, or a webhook
// that puts its own back. They are not written again, in any child of the kind, while the same is wanted and
// the same is there; a new wish is tried. Pure.

#include <compare>
#include <cstddef>
#include <set>
#include <string>

#include "actors/reconciler/target.hpp"
#include "runtime/kube/json.hpp"
#include "runtime/kube/object.hpp"

namespace egress::reconciler {

struct ineffective_field {
  std::string pointer;
  kube::digest wanted{}, stayed{};  // of the values there, or of there being none
  auto operator<=>(const ineffective_field&) const = default;
};

// Of one kind.
using ineffective_fields = std::set<ineffective_field>;

// What a write of `wanted` tells that left `live` as it was; `where`: the paths that differ.
ineffective_fields unchanged(const pointers& where, const json::object& wanted, const json::object& live);

// `wanted` with those fields taken from `live` that are known not to change.
json::object leaving(json::object wanted, const json::object& live, const ineffective_fields& alone);

// What a pointer is remembered with, and what of a kind, at most. (Where each child has a value of its own,
// each is written once in vain, and then known by the digest of the whole: `settled`.)
inline constexpr std::size_t values_of_a_field = 16, fields_of_a_kind = 512;

// Adds one, in the place of another of its pointer when there are too many, or not at all when there are of
// the kind. True when it was added and nothing was known of its pointer before: worth a line of log.
bool remember(ineffective_fields& known, const ineffective_field& one);

}  // namespace egress::reconciler
