#pragma once
// What the API refuses, as metav1.Status tells it. Pure. Messages are worded as the real server words them,
// since people and programs read them.

#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/time.hpp"
#include "runtime/devserver/resource.hpp"
#include "runtime/kube/json.hpp"

namespace egress::dev {

// metav1.StatusCause: one field that is wrong.
struct cause {
  std::string reason;   // "FieldValueInvalid"
  std::string message;  // without the field
  std::string field;    // "spec.ports[0].port"
};

struct refusal {
  int code = 400;
  std::string reason;  // "NotFound", "AlreadyExists", "Conflict", "Invalid", "BadRequest", "Expired", ...
  std::string message;
  json::object details;  // {} for none
  std::optional<seconds> retry_after;
};

template <class T>
using outcome = std::expected<T, refusal>;

std::unexpected<refusal> not_found(const resource& of, std::string_view name);
std::unexpected<refusal> already_exists(const resource& of, std::string_view name);
std::unexpected<refusal> conflict(const resource& of, std::string_view name, std::string_view why);
std::unexpected<refusal> stale(const resource& of, std::string_view name);
std::unexpected<refusal> invalid(const resource& of, std::string_view name, const std::vector<cause>& causes);
std::unexpected<refusal> bad_request(std::string message);
std::unexpected<refusal> method_not_allowed(const resource& of);
std::unexpected<refusal> unsupported_media(std::string_view accepted);
std::unexpected<refusal> too_large_version(std::uint64_t asked, std::uint64_t present);

// The resourceVersion, or the token of a list, is from before the history that is kept.
refusal expired(std::string message);
// Any code with the reason that belongs to it, for injected faults.
refusal refusal_of(int code, std::string message);

// The metav1.Status object.
json::object status_of(const refusal& what);

}  // namespace egress::dev
