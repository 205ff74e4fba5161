#include "actors/reconciler/service_ports.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "actors/reconciler/effective.hpp"
#include "actors/reconciler/envoy/configuration.hpp"
#include "runtime/kube/json_text.hpp"

namespace egress::reconciler {
namespace {

const json::array* list_of(const json::object& in, std::string_view key) {
  const auto* value = in.if_contains(key);
  return value == nullptr ? nullptr : value->if_array();
}

const json::object* object_of(const json::object& in, std::string_view key) {
  const auto* value = in.if_contains(key);
  return value == nullptr ? nullptr : value->if_object();
}

kube::service_port port_of(const json::value& entry) {
  const auto* fields = entry.if_object();
  const auto* value = fields == nullptr ? nullptr : fields->if_contains("port");
  const auto* number = value == nullptr ? nullptr : value->if_int64();
  if (number == nullptr) return {};
  const auto protocol = json::text_at(*fields, "protocol");
  return {*number, protocol.empty() ? "TCP" : std::string(protocol)};
}

bool contains(const ports& all, const kube::service_port& one) {
  return std::ranges::find(all, one) != all.end();
}

ports ports_of(const json::object& service) {
  ports made;
  const auto* spec = object_of(service, "spec");
  const auto* listed = spec == nullptr ? nullptr : list_of(*spec, "ports");
  if (listed == nullptr) return made;
  for (const auto& one : *listed) made.push_back(port_of(one));
  return made;
}

std::optional<bool> condition_of(const json::object& endpoint, std::string_view name) {
  const auto* conditions = object_of(endpoint, "conditions");
  const auto* said = conditions == nullptr ? nullptr : conditions->if_contains(name);
  return said == nullptr || !said->is_bool() ? std::nullopt : std::optional(said->get_bool());
}

// Of one address family.
struct addresses {
  std::set<std::string> ready, coming;
};

void add_endpoints(addresses& into, const json::object& slice) {
  const auto* endpoints = list_of(slice, "endpoints");
  if (endpoints == nullptr) return;
  for (const auto& one : *endpoints) {
    const auto* endpoint = one.if_object();
    const auto* listed = endpoint == nullptr ? nullptr : list_of(*endpoint, "addresses");
    // The API: consumers look at the first address only.
    if (listed == nullptr || listed->empty() || !listed->front().is_string()) continue;
    // Absent is unknown, which the API says to take for ready.
    if (condition_of(*endpoint, "ready").value_or(true))
      into.ready.emplace(listed->front().get_string());
    else if (!condition_of(*endpoint, "terminating").value_or(false))
      into.coming.emplace(listed->front().get_string());
  }
}

std::string text_of(const ports& all) {
  std::string out;
  for (const auto& one : all) out += fmt::format("{}{}/{}", out.empty() ? "" : ", ", one.port, one.protocol);
  return out;
}

}  // namespace

std::optional<ports> waits_for_reports(kube::kind of, const kube::object& external_service,
                                       gateway_profile profile) {
  if (of != kube::kind::service || !reloads(external_service.as_external_service().spec, profile))
    return std::nullopt;
  return ports{};
}

held_service hold_back(json::object wanted, const json::object& live, const ports& reported) {
  held_service made{std::move(wanted), {}};
  auto* spec = made.service.if_contains("spec");
  auto* listed = spec == nullptr || !spec->is_object() ? nullptr : spec->get_object().if_contains("ports");
  if (listed == nullptr || !listed->is_array()) return made;
  const auto has = ports_of(live);
  json::array kept;
  for (const auto& one : listed->get_array()) {
    auto port = port_of(one);
    if (contains(has, port) || contains(reported, port))
      kept.push_back(one);
    else
      made.held.push_back(std::move(port));
  }
  if (made.held.empty()) return made;
  const auto* before = object_of(live, "spec");
  if (kept.empty() && before != nullptr && list_of(*before, "ports") != nullptr)
    kept = *list_of(*before, "ports");
  *listed = std::move(kept);
  return made;
}

std::string endpoint_slices_path(std::string_view name_space, std::string_view service) {
  // Not from a cache, which may not have heard of a pod that is ready since. Both names were checked to need
  // no escapes.
  return fmt::format(
      "/apis/discovery.k8s.io/v1/namespaces/{}/"
      "endpointslices?labelSelector=kubernetes.io%2Fservice-name%3D{}",
      name_space, service);
}

result<gateway_pods> pods_of(std::string_view endpoint_slices) {
  const auto root = json::parse_object(endpoint_slices);
  const auto* items = root ? list_of(*root, "items") : nullptr;
  if (items == nullptr) return fail("the API server's list of EndpointSlices cannot be read");
  addresses v4, v6;
  for (const auto& one : *items) {
    const auto* slice = one.if_object();
    if (slice == nullptr) continue;
    const auto type = json::text_at(*slice, "addressType");
    if (type == "IPv4") add_endpoints(v4, *slice);
    if (type == "IPv6") add_endpoints(v6, *slice);
  }
  const auto& found = v4.ready.empty() && v4.coming.empty() ? v6 : v4;
  return gateway_pods{{found.ready.begin(), found.ready.end()}, found.coming.size()};
}

listener_report report_of(std::string_view gateway, const ports& held,
                          std::span<const gateways::pod_answer> pods) {
  if (pods.empty()) return no_report(held, "no pod is ready");
  listener_report made;
  ports missing;
  std::size_t fewest = pods.size();
  for (const auto& port : held) {
    const auto name = envoy::cluster_name(gateway, port);
    const auto have = static_cast<std::size_t>(
        std::ranges::count_if(pods, [&](const auto& pod) { return pod.listeners.contains(name); }));
    (have == pods.size() ? made.reported : missing).push_back(port);
    fewest = std::min(fewest, have);
  }
  if (missing.empty()) return made;
  const auto silent = std::ranges::find_if(pods, [](const auto& pod) { return !pod.failure.empty(); });
  made.why = no_report(missing, fmt::format("{} of {} ready pods listen there{}", fewest, pods.size(),
                                            silent == pods.end() ? "" : "; one says: " + silent->failure))
                 .why;
  return made;
}

listener_report no_report(const ports& held, std::string_view why) {
  return {{}, fmt::format("not in the Service until its pods listen there: {} ({})", text_of(held), why)};
}

std::vector<std::string> listeners_of(std::string_view gateway, const ports& of) {
  std::vector<std::string> names;
  names.reserve(of.size());
  for (const auto& port : of) names.push_back(envoy::cluster_name(gateway, port));
  return names;
}

}  // namespace egress::reconciler
