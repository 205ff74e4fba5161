#include "runtime/devserver/defaults.hpp"

#include "runtime/devserver/pod_defaults.hpp"
#include "runtime/devserver/tree.hpp"

namespace egress::dev {
namespace {

void default_deployment(json::object& spec) {
  set_default(spec, "replicas", 1);
  set_default(spec, "revisionHistoryLimit", 10);
  set_default(spec, "progressDeadlineSeconds", 600);
  auto& strategy = object_in(spec, "strategy");
  set_default(strategy, "type", "RollingUpdate");
  if (text_at(strategy, {"type"}) == "RollingUpdate") {
    auto& rolling = object_in(strategy, "rollingUpdate");
    set_default(rolling, "maxUnavailable", "25%");
    set_default(rolling, "maxSurge", "25%");
  }
  apply_pod_defaults(object_in(object_in(spec, "template"), "spec"));
}

void default_ports(json::object& in, bool target_port) {
  auto* const ports = in.if_contains("ports");
  if (ports == nullptr || !ports->is_array()) return;
  for (auto& port : ports->get_array()) {
    auto* const one = port.if_object();
    if (one == nullptr) continue;
    set_default(*one, "protocol", "TCP");
    if (const auto* const number = one->if_contains("port"); number != nullptr && target_port)
      set_default(*one, "targetPort", json::value(*number));
  }
}

void default_service(json::object& spec) {
  set_default(spec, "type", "ClusterIP");
  set_default(spec, "sessionAffinity", "None");
  if (text_at(spec, {"type"}) != "ExternalName") set_default(spec, "internalTrafficPolicy", "Cluster");
  default_ports(spec, true);
}

void default_network_policy(json::object& spec) {
  for (const auto* const direction : {"ingress", "egress"}) {
    auto* const rules = spec.if_contains(direction);
    if (rules == nullptr || !rules->is_array()) continue;
    for (auto& rule : rules->get_array())
      if (auto* const one = rule.if_object()) default_ports(*one, false);
  }
  json::array types{"Ingress"};
  if (spec.contains("egress")) types.emplace_back("Egress");
  set_default(spec, "policyTypes", std::move(types));
}

}  // namespace

void apply_defaults(const resource& of, json::object& object) {
  if (of.custom()) return;
  json::value whole(std::move(object));
  remove_nulls(whole);
  object = std::move(whole.get_object());
  if (of.plural == "deployments") default_deployment(object_in(object, "spec"));
  if (of.plural == "services") default_service(object_in(object, "spec"));
  if (of.plural == "networkpolicies") default_network_policy(object_in(object, "spec"));
  if (of.plural == "horizontalpodautoscalers") set_default(object_in(object, "spec"), "minReplicas", 1);
  if (of.plural == "namespaces") object_in(object, "spec")["finalizers"] = json::array{"kubernetes"};
}

}  // namespace egress::dev
