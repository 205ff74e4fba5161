#include "actors/reconciler/desired/server_defaults.hpp"

#include <initializer_list>
#include <string_view>
#include <utility>

namespace egress::desired {
namespace {

// The member as an object, made where it is missing.
json::object& section(json::object& in, std::string_view key) {
  auto& member = in[key];
  if (!member.is_object()) member.emplace_object();
  return member.get_object();
}

void fill(json::object& into, std::string_view key, json::value fallback) {
  if (!into.contains(key)) into.emplace(key, std::move(fallback));
}

template <class Change>
void each(json::object& in, std::string_view key, Change change) {
  auto* items = in.if_contains(key);
  if (!items || !items->is_array()) return;
  for (auto& item : items->get_array())
    if (item.is_object()) change(item.get_object());
}

void container_defaults(json::object& container) {
  each(container, "ports", [](json::object& port) { fill(port, "protocol", "TCP"); });
  fill(container, "resources", json::object());
  fill(container, "terminationMessagePath", "/dev/termination-log");
  fill(container, "terminationMessagePolicy", "File");
  fill(container, "imagePullPolicy", "IfNotPresent");
  if (!container.contains("readinessProbe")) return;
  auto& probe = section(container, "readinessProbe");
  if (probe.contains("httpGet")) fill(section(probe, "httpGet"), "scheme", "HTTP");
  fill(probe, "timeoutSeconds", 1);
  fill(probe, "periodSeconds", 10);
  fill(probe, "successThreshold", 1);
  fill(probe, "failureThreshold", 3);
}

void deployment_defaults(json::object& spec) {
  fill(spec, "revisionHistoryLimit", 10);
  fill(spec, "progressDeadlineSeconds", 600);
  auto& pod = section(section(spec, "template"), "spec");
  fill(pod, "restartPolicy", "Always");
  fill(pod, "dnsPolicy", "ClusterFirst");
  fill(pod, "schedulerName", "default-scheduler");
  fill(pod, "securityContext", json::object());
  fill(pod, "terminationGracePeriodSeconds", 30);
  each(pod, "volumes", [](json::object& volume) {
    if (volume.contains("configMap")) fill(section(volume, "configMap"), "defaultMode", 420);
  });
  each(pod, "containers", container_defaults);
}

void service_defaults(json::object& spec) {
  fill(spec, "type", "ClusterIP");
  fill(spec, "sessionAffinity", "None");
  fill(spec, "internalTrafficPolicy", "Cluster");
  each(spec, "ports", [](json::object& port) {
    fill(port, "protocol", "TCP");
    if (const auto* number = port.if_contains("port")) fill(port, "targetPort", *number);
  });
}

void network_policy_defaults(json::object& spec) {
  each(spec, "ingress", [](json::object& rule) {
    each(rule, "ports", [](json::object& port) { fill(port, "protocol", "TCP"); });
  });
}

}  // namespace

json::object with_server_defaults(kube::kind of, json::object child) {
  if (of == kube::kind::deployment) deployment_defaults(section(child, "spec"));
  if (of == kube::kind::service) service_defaults(section(child, "spec"));
  if (of == kube::kind::network_policy) network_policy_defaults(section(child, "spec"));
  return child;
}

json::object for_creation(kube::kind of, json::object child, std::int64_t min_replicas) {
  if (of == kube::kind::deployment) section(child, "spec")["replicas"] = min_replicas;
  return child;
}

}  // namespace egress::desired
