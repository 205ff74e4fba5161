#include "actors/reconciler/plan.hpp"

#include <fmt/format.h>

namespace egress::reconciler {
namespace {

bool is_external_service(const kube::controller_ref& ref) {
  // Of any version of our group: an owner may have been written by another one.
  return ref.kind == "ExternalService" && ref.api_version.starts_with("egress.monzo.com/");
}

std::string called(const kube::object& child) {
  return fmt::format("{} {}", kube::info(child.of).name, child.meta.name);
}

decision taken(const kube::object& child) {
  const auto& body = child.as_child();
  if (body.controller)
    return {action::blocked,
            fmt::format("{} belongs to {} {}: rename this ExternalService or remove that object",
                        called(child), body.controller->kind, body.controller->name)};
  if (body.ours_cannot_be)
    return {action::blocked,
            fmt::format(
                "{} is of a form that no gateway has ({}): rename this ExternalService or remove that object",
                called(child), child.of == kube::kind::deployment ? "another selector" : "headless")};
  return {action::blocked,
          fmt::format("{} was not made for this ExternalService: rename one of them, or remove that "
                      "object",
                      called(child))};
}

}  // namespace

std::string_view to_string(action what) {
  constexpr std::array<std::string_view, 9> names{"nothing", "create",    "repair",   "adopt",  "replace",
                                                  "remove",  "replacing", "deleting", "blocked"};
  return names[static_cast<std::size_t>(what)];
}

ownership whose(const kube::object& external_service, const kube::object& child) {
  const auto& body = child.as_child();
  if (body.controller) {
    if (body.controller->uid == external_service.meta.uid)
      return body.ours_cannot_be ? ownership::foreign : ownership::ours;
    const bool same_name = body.controller->name == external_service.meta.name;
    return is_external_service(*body.controller) && same_name ? ownership::predecessors : ownership::foreign;
  }
  if (body.ours_cannot_be || !body.our_label) return ownership::foreign;
  return ownership::adoptable;
}

const kube::child* own(const kube::object& external_service, const live_children& live, kube::kind of) {
  const auto& one = live[kube::child_index(of)];
  if (!one) return nullptr;
  const auto owner = whose(external_service, *one);
  return owner == ownership::ours || owner == ownership::adoptable ? &one->as_child() : nullptr;
}

decision decide(const kube::object& external_service, kube::kind of, const rendered_child* wanted,
                const kube::object* live, const std::optional<settled>& known) {
  if (!live) return {wanted ? action::create : action::nothing, ""};
  const auto owner = whose(external_service, *live);
  if (!wanted) {
    const bool ours = owner == ownership::ours || owner == ownership::adoptable;
    if (!ours || live->meta.deleting) return {};
    return {action::remove, fmt::format("{} is not wanted any more", called(*live))};
  }
  if (owner == ownership::foreign) return taken(*live);
  if (owner == ownership::predecessors)
    return {
        action::replacing,
        fmt::format("{} belongs to an earlier ExternalService of this name: waiting until it is collected",
                    called(*live))};
  if (live->meta.deleting)
    return {action::deleting, fmt::format("{} is being deleted: waiting until it is gone", called(*live))};
  const auto& now = live->as_child().projected;
  if (now == wanted->projected || (known && *known == settled{now, wanted->projected})) return {};
  if (of == kube::kind::config_map && live->as_child().immutable)
    return {action::replace, fmt::format("{} is immutable and differs", called(*live))};
  if (owner == ownership::adoptable)
    return {action::adopt, fmt::format("{} has no controller", called(*live))};
  return {action::repair, fmt::format("{} differs", called(*live))};
}

}  // namespace egress::reconciler
