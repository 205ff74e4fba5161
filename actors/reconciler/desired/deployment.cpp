#include <fmt/format.h>

#include <utility>
#include <vector>

#include "actors/reconciler/desired/children.hpp"
#include "actors/reconciler/desired/metadata.hpp"
#include "actors/reconciler/desired/security.hpp"
#include "actors/reconciler/effective.hpp"
#include "actors/reconciler/envoy/image.hpp"
#include "actors/reconciler/gateway_limits.hpp"
#include "runtime/kube/keys.hpp"
#include "runtime/kube/quantity.hpp"

namespace egress::desired {
namespace {

json::array one(json::object item) {
  const auto in = item.storage();
  return json::array({std::move(item)}, in);
}

std::int64_t drain_seconds(const gateway& from) {
  return from.hardened() ? from.settings.drain_seconds : 25;
}

// None in `compatible` when there is no log level that Envoy knows.
json::array arguments(const gateway& from) {
  json::array args(from.in);
  const auto& level = from.spec.envoy_log_level;
  const bool leveled = reconciler::known_log_level(level);
  const auto concurrency = from.hardened() ? reconciler::worker_threads(from.spec) : 0;
  if (!leveled && !from.hardened()) return args;
  for (const auto* word : {"-c", "/etc/envoy/envoy.yaml"}) args.emplace_back(word);
  if (leveled)
    for (const std::string_view word : {std::string_view("--log-level"), std::string_view(level)})
      args.emplace_back(word);
  if (concurrency > 0)
    for (const auto& word : {std::string("--concurrency"), std::to_string(concurrency)})
      args.emplace_back(word);
  // How long connections of a listener that changed live on. What Envoy does not know is refused, as it is in
  // envoy.yaml by itself: a guard that were left out silently would be none.
  if (from.reloads())
    for (const auto& word : {std::string("--drain-time-s"), std::to_string(drain_seconds(from)),
                             std::string("--reject-unknown-dynamic-fields")})
      args.emplace_back(word);
  return args;
}

// In the form the server answers with.
json::object quantities(const json::storage_ptr& in, const std::map<std::string, std::string>& written) {
  json::object made(in);
  for (const auto& [resource, quantity] : written) {
    const auto parsed = kube::quantity::parse(quantity);
    made[resource] = parsed ? parsed->in_thousandths().canonical() : quantity;
  }
  return made;
}

json::object resources(const gateway& from) {
  const auto meant = reconciler::resources(from.spec, from.settings.profile);
  json::object made(from.in);
  if (!meant.limits.empty()) made["limits"] = quantities(from.in, meant.limits);
  if (!meant.requests.empty()) made["requests"] = quantities(from.in, meant.requests);
  return made;
}

json::object readiness_probe(const gateway& from) {
  return json::object(
      {{"timeoutSeconds", 1},
       {"periodSeconds", 10},
       {"successThreshold", 1},
       {"failureThreshold", 3},
       {"httpGet", {{"path", "/ready"}, {"port", from.config.admin_port}, {"scheme", "HTTP"}}}},
      from.in);
}

// At SIGTERM Envoy ends at once: the wait before it is the drain. Endpoints disappear, old connections go on.
json::object drain(const gateway& from) {
  const auto seconds = std::to_string(drain_seconds(from));
  return json::object({{"preStop", {{"exec", {{"command", {"/bin/sleep", seconds}}}}}}}, from.in);
}

// For who reads it: pods listen on what they like.
json::array container_ports(const gateway& from) {
  json::array ports(from.in);
  for (const auto& port : from.spec.ports)
    ports.push_back(json::object({{"containerPort", port.port}, {"protocol", port.protocol}}, from.in));
  return ports;
}

json::object container(const gateway& from) {
  constexpr std::size_t most_members = 12;
  json::object made({{"name", "gateway"},
                     {"image", envoy::image(from.settings)},
                     {"imagePullPolicy", "IfNotPresent"},
                     {"terminationMessagePath", "/dev/termination-log"},
                     {"terminationMessagePolicy", "File"}},
                    most_members, from.in);
  if (auto args = arguments(from); !args.empty()) made["args"] = std::move(args);
  if (!from.reloads()) made["ports"] = container_ports(from);
  // To the image's start script: stay root, where that is what the pod is.
  if (!from.hardened()) made["env"] = one(json::object({{"name", "ENVOY_UID"}, {"value", "0"}}, from.in));
  if (from.hardened()) made["securityContext"] = container_security(from);
  made["resources"] = resources(from);
  made["volumeMounts"] = one(json::object({{"name", "envoy-config"}, {"mountPath", "/etc/envoy"}}, from.in));
  made["readinessProbe"] = readiness_probe(from);
  made["lifecycle"] = drain(from);
  return made;
}

json::object topology_spread(const gateway& from, const topology_spread& spread) {
  return json::object({{"maxSkew", spread.max_skew},
                       {"topologyKey", spread.topology_key},
                       {"whenUnsatisfiable", spread.when_unsatisfiable},
                       {"labelSelector", selector(from)}},
                      from.in);
}

// Hardened gateways are spread where nothing else is said, as far as that is possible.
std::vector<egress::topology_spread> spreads_of(const gateway& from) {
  if (!from.hardened() || !from.settings.topology_spreads.empty()) return from.settings.topology_spreads;
  return {{.topology_key = "topology.kubernetes.io/zone"}, {.topology_key = "kubernetes.io/hostname"}};
}

void add_placement(json::object& pod, const gateway& from) {
  const auto& settings = from.settings;
  if (settings.toleration)
    pod["tolerations"] = one(json::object(
        {{"key", settings.toleration->key}, {"value", settings.toleration->value}, {"effect", "NoSchedule"}},
        from.in));
  if (settings.node_selector)
    pod["nodeSelector"] =
        json::object({{settings.node_selector->key, settings.node_selector->value}}, from.in);
  json::array spreads(from.in);
  for (const auto& spread : spreads_of(from)) spreads.push_back(topology_spread(from, spread));
  if (!spreads.empty()) pod["topologySpreadConstraints"] = std::move(spreads);
}

json::object pod(const gateway& from) {
  constexpr std::size_t most_members = 12;
  json::object volume({{"name", "envoy-config"}, {"configMap", {{"name", from.name}, {"defaultMode", 420}}}},
                      from.in);
  json::object made({{"restartPolicy", "Always"},
                     {"terminationGracePeriodSeconds", drain_seconds(from) + 5},
                     {"dnsPolicy", "Default"},
                     {"schedulerName", "default-scheduler"},
                     {"securityContext", from.hardened() ? pod_security(from) : json::object(from.in)}},
                    most_members, from.in);
  if (from.hardened()) made["automountServiceAccountToken"] = false;
  // Eight variables for each gateway's Service: with some thousands no process starts any more (E2BIG).
  if (from.hardened()) made["enableServiceLinks"] = false;
  made["volumes"] = one(std::move(volume));
  made["containers"] = one(container(from));
  add_placement(made, from);
  return made;
}

json::object pod_template(const gateway& from) {
  auto notes = from.reloads() ? json::object(from.in) : annotations(from);
  notes[kube::keys::config_hash] = from.config.hash;
  notes[kube::keys::admin_port] = std::to_string(from.config.admin_port);
  return json::object(
      {{"metadata", {{"labels", labels(from)}, {"annotations", std::move(notes)}}}, {"spec", pod(from)}},
      from.in);
}

}  // namespace

json::object deployment(const gateway& from) {
  constexpr std::size_t most_members = 7;  // with the replicas
  json::object strategy(
      {{"type", "RollingUpdate"}, {"rollingUpdate", {{"maxUnavailable", "25%"}, {"maxSurge", "25%"}}}},
      from.in);
  json::object spec({{"progressDeadlineSeconds", 600}, {"revisionHistoryLimit", 10}}, most_members, from.in);
  // A gateway that falls over at once does not replace one that works.
  if (from.hardened()) spec["minReadySeconds"] = 5;
  spec["selector"] = selector(from);
  spec["strategy"] = std::move(strategy);
  spec["template"] = pod_template(from);
  auto made = new_child(kube::kind::deployment, from);
  made["spec"] = std::move(spec);
  return made;
}

}  // namespace egress::desired
