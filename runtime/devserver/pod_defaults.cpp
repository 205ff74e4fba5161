#include "runtime/devserver/pod_defaults.hpp"

#include "runtime/devserver/tree.hpp"
#include "runtime/kube/quantity.hpp"

namespace egress::dev {
namespace {

template <class Change>
void each_object(json::object& in, std::string_view list, Change change) {
  auto* const items = in.if_contains(list);
  if (items == nullptr || !items->is_array()) return;
  for (auto& item : items->get_array())
    if (auto* const members = item.if_object()) change(*members);
}

json::object* member_object(json::object& in, std::string_view name) {
  auto* const member = in.if_contains(name);
  return member == nullptr ? nullptr : member->if_object();
}

void canonical_quantities(json::object& resources) {
  for (const auto* const list : {"limits", "requests"}) {
    auto* const quantities = member_object(resources, list);
    if (quantities == nullptr) continue;
    for (auto& [name, text] : *quantities)
      if (const auto parsed = kube::quantity::parse(text)) text = parsed->canonical();
  }
}

// Limits are requests where there are none.
void default_requests(json::object& resources) {
  const auto* const limits = member_object(resources, "limits");
  if (limits == nullptr || limits->empty()) return;
  const auto copy = *limits;  // the members may move
  auto& requests = object_in(resources, "requests");
  for (const auto& [name, value] : copy) set_default(requests, name, value);
}

void default_probe(json::object& probe) {
  set_default(probe, "timeoutSeconds", 1);
  set_default(probe, "periodSeconds", 10);
  set_default(probe, "successThreshold", 1);
  set_default(probe, "failureThreshold", 3);
  if (auto* const get = member_object(probe, "httpGet")) {
    set_default(*get, "path", "/");
    set_default(*get, "scheme", "HTTP");
  }
}

void default_env(json::object& variable) {
  auto* const from = member_object(variable, "valueFrom");
  if (from == nullptr) return;
  if (auto* const field = member_object(*from, "fieldRef")) set_default(*field, "apiVersion", "v1");
  if (auto* const of = member_object(*from, "resourceFieldRef")) set_default(*of, "divisor", "0");
}

// Always for images whose tag is, or is taken for, latest.
std::string_view pull_policy(std::string_view image) {
  if (image.contains('@')) return "IfNotPresent";
  const auto slash = image.rfind('/');
  const auto name = image.substr(slash == std::string_view::npos ? 0 : slash + 1);
  return !name.contains(':') || name.ends_with(":latest") ? "Always" : "IfNotPresent";
}

void default_container(json::object& container) {
  set_default(container, "terminationMessagePath", "/dev/termination-log");
  set_default(container, "terminationMessagePolicy", "File");
  set_default(container, "imagePullPolicy", json::value(pull_policy(text_at(container, {"image"}))));
  auto& resources = object_in(container, "resources");
  canonical_quantities(resources);
  default_requests(resources);
  each_object(container, "ports", [](json::object& port) { set_default(port, "protocol", "TCP"); });
  each_object(container, "env", default_env);
  for (const auto* const probe : {"livenessProbe", "readinessProbe", "startupProbe"})
    if (auto* const one = member_object(container, probe)) default_probe(*one);
}

void default_source(json::object& source) {
  if (auto* const token = member_object(source, "serviceAccountToken"))
    set_default(*token, "expirationSeconds", 3600);
  if (auto* const downward = member_object(source, "downwardAPI"))
    each_object(*downward, "items", [](json::object& item) {
      if (auto* const field = member_object(item, "fieldRef")) set_default(*field, "apiVersion", "v1");
    });
}

void default_volume(json::object& volume) {
  for (const auto* const kind : {"configMap", "secret", "downwardAPI", "projected"})
    if (auto* const source = member_object(volume, kind)) set_default(*source, "defaultMode", 420);
  if (auto* const projected = member_object(volume, "projected"))
    each_object(*projected, "sources", default_source);
}

}  // namespace

void apply_pod_defaults(json::object& spec) {
  each_object(spec, "initContainers", default_container);
  each_object(spec, "containers", default_container);
  each_object(spec, "volumes", default_volume);
  set_default(spec, "restartPolicy", "Always");
  set_default(spec, "terminationGracePeriodSeconds", 30);
  set_default(spec, "dnsPolicy", "ClusterFirst");
  set_default(spec, "securityContext", json::object{});
  set_default(spec, "schedulerName", "default-scheduler");
  // The older name of the field is kept beside it.
  const std::string account{text_at(spec, {"serviceAccountName"})};
  if (!account.empty()) set_default(spec, "serviceAccount", json::value(account));
}

}  // namespace egress::dev
