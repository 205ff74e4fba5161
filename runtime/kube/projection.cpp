#include "runtime/kube/projection.hpp"

#include "runtime/kube/digest_bytes.hpp"
#include "runtime/kube/projection_writer.hpp"

namespace egress::kube {
namespace {

class json_value {
 public:
  explicit json_value(const json::value& of) : of_(&of) {}

  shape type() const {
    switch (of_->kind()) {
      case boost::json::kind::null:
        return shape::null;
      case boost::json::kind::bool_:
        return shape::boolean;
      case boost::json::kind::int64:
        return of_->get_int64() < 0 ? shape::negative : shape::natural;
      case boost::json::kind::uint64:
        return shape::natural;
      case boost::json::kind::double_:
        return shape::fraction;
      case boost::json::kind::string:
        return shape::text;
      case boost::json::kind::array:
        return shape::list;
      case boost::json::kind::object:
        return shape::object;
    }
    return shape::null;
  }
  bool flag() const { return of_->get_bool(); }
  std::uint64_t word() const {
    if (const auto* fraction = of_->if_double()) return std::bit_cast<std::uint64_t>(*fraction);
    if (const auto* large = of_->if_uint64()) return *large;
    return static_cast<std::uint64_t>(of_->get_int64());
  }
  std::string_view text() const { return of_->get_string(); }
  std::optional<json_value> member(std::string_view name) const {
    const auto* all = of_->if_object();
    return all ? in(*all, name) : std::nullopt;
  }
  template <class Visitor>
  void each_item(Visitor&& visit) const {
    for (const auto& item : of_->get_array()) visit(json_value(item));
  }
  template <class Visitor>
  void each_member(Visitor&& visit) const {
    for (const auto& member : of_->get_object())
      visit(std::string_view(member.key()), json_value(member.value()));
  }

  static std::optional<json_value> in(const json::object& all, std::string_view name) {
    const auto* found = all.if_contains(name);
    if (!found) return std::nullopt;
    return json_value(*found);
  }

 private:
  const json::value* of_;
};

}  // namespace

digest projected_digest(kind of, const json::object& child, const projection_rules& rules) {
  const auto metadata = json_value::in(child, "metadata");
  const auto noted = [&](std::string_view name) { return metadata ? metadata->member(name) : std::nullopt; };
  return digest_of([&](std::string& bytes) {
    projection_writer<json_value>(bytes).write(of,
                                               {.labels = noted("labels"),
                                                .annotations = noted("annotations"),
                                                .owners = noted("ownerReferences"),
                                                .spec = json_value::in(child, "spec"),
                                                .data = json_value::in(child, "data"),
                                                .binary_data = json_value::in(child, "binaryData")},
                                               rules);
  });
}

}  // namespace egress::kube
