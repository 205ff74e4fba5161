#include "runtime/kube/projection.hpp"

#include <algorithm>
#include <array>
#include <span>

#include "runtime/kube/field_meaning.hpp"
#include "runtime/kube/json_arena.hpp"
#include "runtime/kube/json_bytes.hpp"
#include "runtime/kube/quantity.hpp"
#include "runtime/net/keyed_digest.hpp"

namespace egress::kube {
namespace {

using names = std::span<const std::string_view>;

constexpr std::array<std::string_view, 4> copied_from_live{"clusterIP", "clusterIPs", "ipFamilies",
                                                           "ipFamilyPolicy"};
constexpr std::array<std::string_view, 2> our_labels{"app", "egress.monzo.com/gateway"};
constexpr std::array<std::string_view, 1> our_annotations{"egress.monzo.com/dns-name"};
constexpr std::array<std::string_view, 3> our_pod_annotations{
    "egress.monzo.com/dns-name", "egress.monzo.com/config-hash", "egress.monzo.com/admin-port"};
// What autoscaling/v2 knows more than v1: a spec in disguise, which we never set.
constexpr std::array<std::string_view, 2> spec_in_annotations{"autoscaling.alpha.kubernetes.io/behavior",
                                                              "autoscaling.alpha.kubernetes.io/metrics"};
constexpr std::string_view hijack_label = "egress.monzo.com/hijack-dns";
constexpr std::string_view topology_annotation = "service.kubernetes.io/topology-mode";
constexpr std::array<std::string_view, 6> owner_fields{"apiVersion", "kind",       "name",
                                                       "uid",        "controller", "blockOwnerDeletion"};

bool is_empty(const json::value& what) {
  if (what.is_null()) return true;
  if (const auto* text = what.if_string()) return text->empty();
  if (const auto* all = what.if_object()) return all->empty();
  if (const auto* items = what.if_array()) return items->empty();
  return false;
}

const json::object* object_at(const json::object& in, std::string_view name) {
  const auto* found = in.if_contains(name);
  return found == nullptr ? nullptr : found->if_object();
}

json::value canonical_quantity(const json::value& what, const json::storage_ptr& in) {
  const auto read = quantity::parse(what);
  return read ? json::value(read->canonical(), in) : json::value(what, in);
}

json::value normal(const json::value& what, std::string_view name, const json::storage_ptr& in);

json::object normal_members(const json::object& from, std::string_view name, const json::storage_ptr& in) {
  json::object out(in);
  out.reserve(from.size());
  for (const auto& member : from) {
    const std::string_view key = member.key();
    if (member.value().is_null()) continue;
    auto value =
        is_quantity({key, name}) ? canonical_quantity(member.value(), in) : normal(member.value(), key, in);
    const auto empty_counts = [&] {
      return (value.is_object() && empty_says_something(key)) || (value.is_string() && keys_are_chosen(name));
    };
    if (!is_empty(value) || empty_counts()) out.emplace(key, std::move(value));
  }
  return out;
}

// Without what says nothing, quantities in their canonical form. `name` is that of the member it stands at;
// items of a list stay where they are, whatever they are.
json::value normal(const json::value& what, std::string_view name, const json::storage_ptr& in) {
  if (const auto* all = what.if_object()) return normal_members(*all, name, in);
  if (const auto* items = what.if_array()) {
    json::array out(in);
    out.reserve(items->size());
    for (const auto& item : *items) out.push_back(normal(item, {}, in));
    return out;
  }
  return json::value(what, in);
}

void copy_present(json::object& into, const json::object* from, names which) {
  if (from == nullptr) return;
  for (const auto name : which)
    if (const auto* value = from->if_contains(name); value != nullptr && !value->is_null())
      into.emplace(name, *value);
}

void put_unless_empty(json::object& into, std::string_view name, json::object value) {
  if (!value.empty()) into.emplace(name, std::move(value));
}

void put_topology(json::object& into, const json::object* from, const projection_rules& rules) {
  if (rules.topology_mode) copy_present(into, from, std::array{topology_annotation});
}

json::object project_labels(kind of, const json::object* labels, const json::storage_ptr& in) {
  json::object out(in);
  copy_present(out, labels, our_labels);
  if (of == kind::service) copy_present(out, labels, std::array{hijack_label});
  return out;
}

json::object project_annotations(kind of, const json::object* annotations, const projection_rules& rules,
                                 const json::storage_ptr& in) {
  json::object out(in);
  copy_present(out, annotations, our_annotations);
  put_topology(out, annotations, rules);
  if (of == kind::horizontal_pod_autoscaler) copy_present(out, annotations, spec_in_annotations);
  return out;
}

// The controller entry; other owners are none of ours.
json::object project_owner(const json::object& metadata, const json::storage_ptr& in) {
  json::object out(in);
  const auto* owners = metadata.if_contains("ownerReferences");
  if (owners == nullptr || !owners->is_array()) return out;
  for (const auto& owner : owners->get_array()) {
    const auto* entry = owner.if_object();
    const auto* controller = entry == nullptr ? nullptr : entry->if_contains("controller");
    if (controller != nullptr && controller->is_bool() && controller->get_bool()) {
      copy_present(out, entry, owner_fields);
      break;
    }
  }
  return out;
}

json::object project_pod_metadata(const json::object& metadata, const projection_rules& rules,
                                  const json::storage_ptr& in) {
  json::object out(in), annotations(in);
  const auto* labels = object_at(metadata, "labels");
  if (labels != nullptr) put_unless_empty(out, "labels", json::object(*labels, in));
  const auto* all = object_at(metadata, "annotations");
  copy_present(annotations, all, our_pod_annotations);
  put_topology(annotations, all, rules);
  put_unless_empty(out, "annotations", std::move(annotations));
  return out;
}

json::object project_deployment(json::object spec, const projection_rules& rules) {
  spec.erase("replicas");
  auto* pods = spec.if_contains("template");
  if (pods != nullptr && pods->is_object()) {
    auto& with = pods->get_object();
    if (const auto* metadata = object_at(with, "metadata")) {
      auto ours = project_pod_metadata(*metadata, rules, spec.storage());
      with.erase("metadata");
      put_unless_empty(with, "metadata", std::move(ours));
    }
  }
  return spec;
}

json::object project_service(json::object spec, const projection_rules& rules) {
  for (const auto name : copied_from_live)
    if (name != "ipFamilyPolicy" || !rules.ip_family_policy) spec.erase(name);
  return spec;
}

}  // namespace

json::object project(kind of, const json::object& live, const projection_rules& rules,
                     const json::storage_ptr& in) {
  json::object out(in), metadata(in);
  if (const auto* from = object_at(live, "metadata")) {
    put_unless_empty(metadata, "labels", project_labels(of, object_at(*from, "labels"), in));
    put_unless_empty(metadata, "annotations",
                     project_annotations(of, object_at(*from, "annotations"), rules, in));
    put_unless_empty(metadata, "controller", project_owner(*from, in));
  }
  put_unless_empty(out, "metadata", std::move(metadata));
  if (of == kind::config_map) {
    for (const std::string_view name : {"data", "binaryData"})
      if (const auto* data = object_at(live, name))
        put_unless_empty(out, name, normal_members(*data, name, in));
    return out;
  }
  if (const auto* from = object_at(live, "spec")) {
    auto spec = normal_members(*from, "spec", in);
    if (of == kind::deployment) spec = project_deployment(std::move(spec), rules);
    if (of == kind::service) spec = project_service(std::move(spec), rules);
    put_unless_empty(out, "spec", std::move(spec));
  }
  return out;
}

digest digest_of(const json::object& projection) {
  return net::keyed_digest(json::canonical_bytes(projection));
}

digest projected_digest(kind of, const json::object& live, const projection_rules& rules) {
  json::arena scratch;
  return digest_of(project(of, live, rules, scratch.storage()));
}

}  // namespace egress::kube
