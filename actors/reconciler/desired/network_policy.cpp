#include <fmt/format.h>

#include <string_view>
#include <utility>

#include "actors/reconciler/desired/children.hpp"
#include "actors/reconciler/desired/metadata.hpp"

namespace egress::desired {
namespace {

// Pods of any namespace that carry these labels.
json::object peer(json::object match_labels) {
  const auto in = match_labels.storage();
  return json::object(
      {{"namespaceSelector", json::object(in)}, {"podSelector", {{"matchLabels", std::move(match_labels)}}}},
      in);
}

json::object allowed(const gateway& from, std::string_view key, std::string_view value) {
  return peer(json::object({{fmt::format("egress.monzo.com/allowed-{}", key), value}}, from.in));
}

// "app=prometheus,tier=infra" as matchLabels; --metrics-from was checked when it was read.
json::object match_labels(const json::storage_ptr& in, std::string_view equalities) {
  json::object made(in);
  while (!equalities.empty()) {
    const auto comma = equalities.find(',');
    const auto pair = equalities.substr(0, comma);
    const auto equals = pair.find('=');
    if (equals != std::string_view::npos) {
      auto value = pair.substr(equals + 1);
      if (value.starts_with('=')) value.remove_prefix(1);
      made[pair.substr(0, equals)] = value;
    }
    if (comma == std::string_view::npos) break;
    equalities.remove_prefix(comma + 1);
  }
  return made;
}

json::object rule(json::array ports, json::array from) {
  const auto in = ports.storage();
  return json::object({{"ports", std::move(ports)}, {"from", std::move(from)}}, in);
}

json::array admin_port(const gateway& from) {
  json::object port({{"protocol", "TCP"}, {"port", from.config.admin_port}}, from.in);
  return json::array({std::move(port)}, from.in);
}

// Its pods beside the gateways, as deploy/ labels them: it asks which listeners there are.
json::array operator_itself(const gateway& from) {
  json::object pods({{"podSelector", {{"matchLabels", {{"app", "egress-operator"}}}}}}, from.in);
  return json::array({std::move(pods)}, from.in);
}

}  // namespace

json::object network_policy(const gateway& from) {
  auto made = new_child(kube::kind::network_policy, from);
  json::array ports(from.in), peers(from.in), rules(from.in);
  for (const auto& port : from.spec.ports)
    ports.push_back(json::object({{"protocol", port.protocol}, {"port", port.port}}, from.in));
  peers.push_back(allowed(from, from.name, "true"));
  if (from.hardened()) peers.push_back(allowed(from, "gateway", from.name));
  rules.push_back(rule(std::move(ports), std::move(peers)));
  if (from.hardened() && !from.settings.metrics_from.empty()) {
    json::array scrapers(from.in);
    scrapers.push_back(peer(match_labels(from.in, from.settings.metrics_from)));
    rules.push_back(rule(admin_port(from), std::move(scrapers)));
  }
  if (from.reloads()) rules.push_back(rule(admin_port(from), operator_itself(from)));
  made["spec"] = json::object(
      {{"podSelector", selector(from)}, {"ingress", std::move(rules)}, {"policyTypes", {"Ingress"}}},
      from.in);
  return made;
}

}  // namespace egress::desired
