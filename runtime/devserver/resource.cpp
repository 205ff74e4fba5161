#include "runtime/devserver/resource.hpp"

#include <algorithm>

namespace egress::dev {
namespace {

// What nobody writes here is asked for by `kubectl describe`: pods, ReplicaSets, EndpointSlices, nodes.
constexpr std::array table{
    resource{"", "v1", "configmaps", "configmap", "ConfigMap", "cm"},
    resource{"", "v1", "events", "event", "Event", "ev"},
    resource{.group = "",
             .version = "v1",
             .plural = "namespaces",
             .singular = "namespace",
             .kind = "Namespace",
             .short_name = "ns",
             .namespaced = false,
             .status = true},
    resource{"", "v1", "nodes", "node", "Node", "no", false, access::read_only},
    resource{.group = "",
             .version = "v1",
             .plural = "pods",
             .singular = "pod",
             .kind = "Pod",
             .short_name = "po",
             .allowed = access::read_only,
             .in_all = true},
    resource{"", "v1", "secrets", "secret", "Secret", "", true, access::read_only},
    resource{.group = "",
             .version = "v1",
             .plural = "services",
             .singular = "service",
             .kind = "Service",
             .short_name = "svc",
             .status = true,
             .in_all = true},
    resource{"apiextensions.k8s.io", "v1", "customresourcedefinitions", "customresourcedefinition",
             "CustomResourceDefinition", "crd", false, access::read_only},
    resource{.group = "apps",
             .version = "v1",
             .plural = "deployments",
             .singular = "deployment",
             .kind = "Deployment",
             .short_name = "deploy",
             .status = true,
             .scale = true,
             .generation = true,
             .in_all = true},
    resource{.group = "apps",
             .version = "v1",
             .plural = "replicasets",
             .singular = "replicaset",
             .kind = "ReplicaSet",
             .short_name = "rs",
             .allowed = access::read_only,
             .in_all = true},
    resource{.group = "autoscaling",
             .version = "v1",
             .plural = "horizontalpodautoscalers",
             .singular = "horizontalpodautoscaler",
             .kind = "HorizontalPodAutoscaler",
             .short_name = "hpa",
             .status = true,
             .in_all = true},
    resource{.group = "autoscaling",
             .version = "v2",
             .plural = "horizontalpodautoscalers",
             .singular = "horizontalpodautoscaler",
             .kind = "HorizontalPodAutoscaler",
             .short_name = "hpa",
             .allowed = access::read_only,
             .in_all = true,
             .stored_version = "v1"},
    resource{"coordination.k8s.io", "v1", "leases", "lease", "Lease", ""},
    resource{"discovery.k8s.io", "v1", "endpointslices", "endpointslice", "EndpointSlice", "", true,
             access::read_only},
    resource{.group = "egress.monzo.com",
             .version = "v1",
             .plural = "externalservices",
             .singular = "externalservice",
             .kind = "ExternalService",
             .short_name = "exsvc",
             .namespaced = false,
             .status = true,
             .generation = true},
    resource{.group = "networking.k8s.io",
             .version = "v1",
             .plural = "networkpolicies",
             .singular = "networkpolicy",
             .kind = "NetworkPolicy",
             .short_name = "netpol",
             .generation = true},
    resource{.group = "policy",
             .version = "v1",
             .plural = "poddisruptionbudgets",
             .singular = "poddisruptionbudget",
             .kind = "PodDisruptionBudget",
             .short_name = "pdb",
             .status = true,
             .generation = true},
};

template <class Matches>
const resource* find_if(Matches matches) {
  const auto at = std::ranges::find_if(table, matches);
  return at == table.end() ? nullptr : &*at;
}

}  // namespace

std::string resource::api_version() const {
  return group.empty() ? std::string{version} : std::string{group} + "/" + std::string{version};
}

std::string resource::qualified_name() const {
  return group.empty() ? std::string{plural} : std::string{plural} + "." + std::string{group};
}

bool resource::custom() const {
  return group == "egress.monzo.com";
}

std::span<const resource> all_resources() {
  return table;
}

const resource* find_resource(std::string_view group, std::string_view version, std::string_view plural) {
  return find_if(
      [&](const resource& r) { return r.group == group && r.version == version && r.plural == plural; });
}

const resource* find_kind(std::string_view api_version, std::string_view kind) {
  return find_if([&](const resource& r) { return r.kind == kind && r.api_version() == api_version; });
}

const resource* find_plural(std::string_view plural) {
  return find_if([&](const resource& r) { return r.plural == plural; });
}

const resource& storage_of(const resource& of) {
  if (of.stored_version.empty()) return of;
  return *find_resource(of.group, of.stored_version, of.plural);
}

namespace kinds {

const resource& config_maps() {
  static const auto& found = *find_plural("configmaps");
  return found;
}
const resource& custom_resource_definitions() {
  static const auto& found = *find_plural("customresourcedefinitions");
  return found;
}
const resource& deployments() {
  static const auto& found = *find_plural("deployments");
  return found;
}
const resource& events() {
  static const auto& found = *find_plural("events");
  return found;
}
const resource& external_services() {
  static const auto& found = *find_plural("externalservices");
  return found;
}
const resource& autoscalers() {
  static const auto& found = *find_plural("horizontalpodautoscalers");
  return found;
}
const resource& namespaces() {
  static const auto& found = *find_plural("namespaces");
  return found;
}
const resource& services() {
  static const auto& found = *find_plural("services");
  return found;
}

}  // namespace kinds
}  // namespace egress::dev
