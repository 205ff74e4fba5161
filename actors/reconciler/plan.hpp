#pragma once
// What is to be done about each child: the rules of ownership, deletion and difference, without any I/O.
// child_task carries a decision out.

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "runtime/kube/json.hpp"
#include "runtime/kube/object.hpp"

namespace egress::reconciler {

// What a child should be.
struct rendered_child {
  kube::kind of = kube::kind::config_map;
  std::shared_ptr<const json::object> object{};
  kube::digest projected{};  // kube::projected_digest(of, object, rules)
};

// By kube::child_index. Nothing: this ExternalService shall have no such child (PodDisruptionBudgets off).
using desired_children = std::array<std::optional<rendered_child>, kube::child_count>;
// By kube::child_index. Null: there is none.
using live_children = std::array<kube::object_ptr, kube::child_count>;

enum class ownership : std::uint8_t {
  ours,          // a controller ownerReference to this ExternalService's uid
  adoptable,     // no controller, and our label
  predecessors,  // controlled by an ExternalService of this name that is gone: the collector removes it
  foreign,       // anything else of that name
};

ownership whose(const kube::object& external_service, const kube::object& child);
// The live child of this kind if it is this ExternalService's, or can become so; else null.
const kube::child* own(const kube::object& external_service, const live_children& live, kube::kind of);

enum class action : std::uint8_t {
  nothing,
  create,
  repair,     // patch it to its target
  adopt,      // the same, for one that nobody controls
  replace,    // an immutable ConfigMap: delete this uid, create
  remove,     // ours, and not wanted any more
  replacing,  // our predecessor's: wait for the collector
  deleting,   // has a deletionTimestamp: wait until it is gone
  blocked,    // somebody else's: left alone
};

// "create", "repair", …
std::string_view to_string(action what);

struct decision {
  action what = action::nothing;
  std::string why;  // for people, one line; "" for nothing and create
  friend bool operator==(const decision&, const decision&) = default;
};

// A live child that was compared with what is wanted and left as it is, although the digests differ: what
// remains cannot be written (see child_outcome::ineffective).
struct settled {
  kube::digest live{}, wanted{};
  friend bool operator==(const settled&, const settled&) = default;
};

// About one child. `live` may be null, `wanted` too.
decision decide(const kube::object& external_service, kube::kind of, const rendered_child* wanted,
                const kube::object* live, const std::optional<settled>& known = std::nullopt);

}  // namespace egress::reconciler
