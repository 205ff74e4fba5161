#include "runtime/kube/decode_fields.hpp"

#include <cmath>

namespace egress::kube::fields {

maybe member(const maybe& in, std::string_view name) {
  dom::object object;
  dom::element found;
  if (!in || in->get(object) != simdjson::SUCCESS || object.at_key(name).get(found) != simdjson::SUCCESS ||
      found.is_null())
    return std::nullopt;
  return found;
}

std::string_view text(const maybe& in) {
  std::string_view out;
  if (!in || in->get(out) != simdjson::SUCCESS) return {};
  return out;
}

std::optional<std::int64_t> integer(const maybe& in) {
  if (!in) return std::nullopt;
  std::int64_t out = 0;
  if (in->get(out) == simdjson::SUCCESS) return out;
  // 8443.0 and 1e3 are integers to Go's and Kubernetes' decoders.
  double number = 0;
  constexpr double exact = 9007199254740992.0;  // 2^53
  if (in->type() == dom::element_type::DOUBLE && in->get(number) == simdjson::SUCCESS &&
      std::abs(number) <= exact && std::trunc(number) == number)
    return static_cast<std::int64_t>(number);
  return std::nullopt;
}

bool boolean(const maybe& in) {
  bool out = false;
  return in && in->get(out) == simdjson::SUCCESS && out;
}

std::string_view type_name(dom::element what) {
  switch (what.type()) {
    case dom::element_type::ARRAY:
      return "a list";
    case dom::element_type::OBJECT:
      return "an object";
    case dom::element_type::INT64:
    case dom::element_type::UINT64:
      return "a number";
    case dom::element_type::DOUBLE:
      return "a number with a fraction";
    case dom::element_type::STRING:
      return "a string";
    case dom::element_type::BOOL:
      return "a boolean";
    case dom::element_type::NULL_VALUE:
      return "null";
  }
  return "a value";
}

}  // namespace egress::kube::fields
