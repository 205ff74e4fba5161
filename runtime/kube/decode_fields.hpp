#pragma once
// Reading single members out of simdjson's DOM, leniently: null is like none. Only for decode*.cpp.

#include <simdjson.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "runtime/kube/external_service.hpp"
#include "runtime/kube/projection.hpp"

namespace egress::kube::fields {

namespace dom = simdjson::dom;
using maybe = std::optional<dom::element>;

// The member, unless it is missing or null, or `in` is no object.
maybe member(const maybe& in, std::string_view name);
// The same along several names.
template <class... Names>
maybe member(const maybe& in, std::string_view first, Names... more) {
  return member(member(in, first), more...);
}

// "" or nothing for another type. The views live as long as the document.
std::string_view text(const maybe& in);
std::optional<std::int64_t> integer(const maybe& in);
bool boolean(const maybe& in);

// "a string", "a list", ...
std::string_view type_name(dom::element what);

// kube::projected_digest() of what was read.
digest projected_digest(kind of, dom::element child, const projection_rules& rules);

// The spec, status and first type error of an ExternalService.
external_service read_external_service(dom::element object);

}  // namespace egress::kube::fields
