#include "runtime/kube/decode_fields.hpp"
#include "runtime/kube/digest_bytes.hpp"
#include "runtime/kube/projection_writer.hpp"

namespace egress::kube::fields {
namespace {

class dom_value {
 public:
  explicit dom_value(dom::element of) : of_(of) {}

  shape type() const {
    switch (of_.type()) {
      case dom::element_type::NULL_VALUE:
        return shape::null;
      case dom::element_type::BOOL:
        return shape::boolean;
      case dom::element_type::INT64:
        return of_.get_int64().value_unsafe() < 0 ? shape::negative : shape::natural;
      case dom::element_type::UINT64:
        return shape::natural;
      case dom::element_type::DOUBLE:
        return shape::fraction;
      case dom::element_type::STRING:
        return shape::text;
      case dom::element_type::ARRAY:
        return shape::list;
      case dom::element_type::OBJECT:
        return shape::object;
    }
    return shape::null;
  }
  bool flag() const { return of_.get_bool().value_unsafe(); }
  std::uint64_t word() const {
    if (of_.type() == dom::element_type::DOUBLE)
      return std::bit_cast<std::uint64_t>(of_.get_double().value_unsafe());
    if (of_.type() == dom::element_type::UINT64) return of_.get_uint64().value_unsafe();
    return static_cast<std::uint64_t>(of_.get_int64().value_unsafe());
  }
  std::string_view text() const { return of_.get_string().value_unsafe(); }
  std::optional<dom_value> member(std::string_view name) const { return in(fields::member(of_, name)); }
  template <class Visitor>
  void each_item(Visitor&& visit) const {
    for (const auto item : of_.get_array().value_unsafe()) visit(dom_value(item));
  }
  template <class Visitor>
  void each_member(Visitor&& visit) const {
    for (const auto [key, value] : of_.get_object().value_unsafe()) visit(key, dom_value(value));
  }

  static std::optional<dom_value> in(const maybe& found) {
    if (!found) return std::nullopt;
    return dom_value(*found);
  }

 private:
  dom::element of_;
};

}  // namespace

digest projected_digest(kind of, dom::element child, const projection_rules& rules) {
  const auto part = [&](auto... names) { return dom_value::in(fields::member(child, names...)); };
  return digest_of([&](std::string& bytes) {
    projection_writer<dom_value>(bytes).write(of,
                                              {.labels = part("metadata", "labels"),
                                               .annotations = part("metadata", "annotations"),
                                               .owners = part("metadata", "ownerReferences"),
                                               .spec = part("spec"),
                                               .data = part("data"),
                                               .binary_data = part("binaryData")},
                                              rules);
  });
}

}  // namespace egress::kube::fields
