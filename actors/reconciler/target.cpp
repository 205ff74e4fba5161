#include "actors/reconciler/target.hpp"

#include <algorithm>
#include <string_view>

#include "actors/reconciler/sameness.hpp"
#include "runtime/kube/keys.hpp"

namespace egress::reconciler {
namespace {

using std::string_view;

// The object at `key`, made when it is not there or something else.
json::object& sub(json::object& in, string_view key) {
  auto& value = in[key];
  if (!value.is_object()) value.emplace_object();
  return value.get_object();
}

const json::object* look(const json::object& in, string_view key) {
  const auto* value = in.if_contains(key);
  return value ? value->if_object() : nullptr;
}

const json::object* look(const json::object& in, string_view key, auto... deeper) {
  const auto* next = look(in, key);
  return next ? look(*next, deeper...) : nullptr;
}

void lay_over(json::object& onto, const json::object* ours) {
  if (!ours) return;
  for (const auto& [key, value] : *ours) onto[key] = value;
}

string_view text(const json::object& in, string_view key) {
  const auto* value = in.if_contains(key);
  return value && value->is_string() ? string_view(value->get_string()) : string_view();
}

// Ours in the place of the one with its uid; the references of others stay.
void lay_over_owners(json::object& metadata, const json::object& ours_metadata) {
  const auto* ours = ours_metadata.if_contains("ownerReferences");
  if (!ours || !ours->is_array()) return;
  auto& owners = metadata["ownerReferences"];
  if (!owners.is_array()) owners.emplace_array();
  auto& list = owners.get_array();
  for (const auto& one : ours->get_array()) {
    const auto uid = text(one.as_object(), "uid");
    const auto theirs = std::ranges::find_if(
        list, [&](const auto& other) { return other.is_object() && text(other.get_object(), "uid") == uid; });
    if (theirs == list.end())
      list.push_back(one);
    else
      *theirs = one;
  }
}

json::object metadata_of(kube::kind of, const json::object& rendered, const json::object& live) {
  json::object out = look(live, "metadata") ? *look(live, "metadata") : json::object();
  const auto* ours = look(rendered, "metadata");
  if (!ours) return out;
  for (const auto* part : {"labels", "annotations"})
    if (const auto* set = look(*ours, part); set && !set->empty()) lay_over(sub(out, part), set);
  lay_over_owners(out, *ours);
  if (of == kube::kind::horizontal_pod_autoscaler)
    if (auto* annotations = out.if_contains("annotations"); annotations && annotations->is_object())
      for (const auto* disguised :
           {"autoscaling.alpha.kubernetes.io/behavior", "autoscaling.alpha.kubernetes.io/metrics"})
        annotations->get_object().erase(disguised);
  return out;
}

void copy_service_fields(json::object& spec, const json::object& live) {
  // An ExternalName Service has no address to keep.
  for (const auto* field : {"clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"})
    if (const auto* value = live.if_contains(field); value && !spec.contains(field)) spec[field] = *value;
}

bool is_of_the_specification(string_view annotation) {
  return annotation == kube::keys::dns_name || annotation == kube::keys::topology_mode;
}

void copy_deployment_fields(json::object& spec, const json::object& live) {
  if (const auto* replicas = live.if_contains("replicas"))
    spec["replicas"] = *replicas;
  else
    spec.erase("replicas");
  const auto* theirs = look(live, "template", "metadata", "annotations");
  if (!theirs) return;
  auto& annotations = sub(sub(sub(spec, "template"), "metadata"), "annotations");
  // Pods without the name (configDelivery Reload): what they had of the specification before goes.
  const bool without = !annotations.contains(kube::keys::dns_name);
  for (const auto& [key, value] : *theirs)
    if (!annotations.contains(key) && !(without && is_of_the_specification(key))) annotations[key] = value;
}

// RFC 6901: ~ and / inside a token.
std::string escaped(string_view token) {
  std::string out;
  for (const char c : token) c == '~' ? out += "~0" : c == '/' ? out += "~1" : out += c;
  return out;
}

json::object patch_of(const json::object& live, const json::object& wanted, string_view name) {
  json::object out;
  for (const auto& [key, value] : wanted) {
    const kube::place at{key, name};
    const auto* theirs = live.if_contains(key);
    if (theirs ? same(*theirs, value, at) : says_nothing(value, at)) continue;
    if (theirs && theirs->is_object() && value.is_object())
      out[key] = patch_of(theirs->get_object(), value.get_object(), key);
    else
      out[key] = value;
  }
  for (const auto& [key, value] : live)
    if (!wanted.contains(key) && !says_nothing(value, {key, name})) out[key] = nullptr;
  return out;
}

void differing(const json::value& live, const json::value& wanted, kube::place here, const std::string& path,
               pointers& out) {
  if (same(live, wanted, here)) return;
  const bool objects = live.is_object() && wanted.is_object();
  const bool lists =
      live.is_array() && wanted.is_array() && live.get_array().size() == wanted.get_array().size();
  if (lists) {
    for (std::size_t i = 0; i < live.get_array().size(); ++i)
      differing(live.get_array()[i], wanted.get_array()[i], {}, path + "/" + std::to_string(i), out);
  } else if (objects) {
    static const json::value none;
    for (const auto& [key, value] : wanted.get_object()) {
      const auto* theirs = live.get_object().if_contains(key);
      differing(theirs ? *theirs : none, value, {key, here.name}, path + "/" + escaped(key), out);
    }
    for (const auto& [key, value] : live.get_object())
      if (!wanted.get_object().contains(key) && !says_nothing(value, {key, here.name}))
        out.insert(path + "/" + escaped(key));
  } else {
    out.insert(path);
  }
}

}  // namespace

json::object target(kube::kind of, const json::object& rendered, const json::object& live) {
  json::object out = live;
  for (const auto* field : {"apiVersion", "kind"})
    if (const auto* value = rendered.if_contains(field)) out[field] = *value;
  out["metadata"] = metadata_of(of, rendered, live);
  const string_view content = of == kube::kind::config_map ? "data" : "spec";
  out[content] = look(rendered, content) ? *look(rendered, content) : json::object();
  if (of == kube::kind::config_map) out.erase("binaryData");  // data by another name
  const auto* theirs = look(live, content);
  if (!theirs) return out;
  auto& ours = sub(out, content);
  if (of == kube::kind::service) copy_service_fields(ours, *theirs);
  if (of == kube::kind::deployment) copy_deployment_fields(ours, *theirs);
  return out;
}

json::object merge_patch(const json::object& live, const json::object& target) {
  auto out = patch_of(live, target, "");
  if (out.empty()) return out;
  if (const auto* metadata = look(live, "metadata"))
    if (const auto* version = metadata->if_contains("resourceVersion"))
      sub(out, "metadata")["resourceVersion"] = *version;
  return out;
}

pointers differing_paths(const json::object& live, const json::object& target) {
  pointers out;
  differing(live, target, {}, "", out);
  return out;
}

}  // namespace egress::reconciler
