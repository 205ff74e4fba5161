#include <string>
#include <utility>

#include "actors/reconciler/desired/children.hpp"
#include "actors/reconciler/desired/metadata.hpp"

namespace egress::desired {
namespace {

// Pods of any namespace that carry these labels.
json::object peer(json::object match_labels) {
  json::object pods;
  pods["matchLabels"] = std::move(match_labels);
  json::object made;
  made["namespaceSelector"] = json::object();
  made["podSelector"] = std::move(pods);
  return made;
}

json::object allowed(std::string key, std::string_view value) {
  json::object match;
  match["egress.monzo.com/" + std::move(key)] = value;
  return peer(std::move(match));
}

// "app=prometheus,tier=infra" as matchLabels; --metrics-from was checked when it was read.
json::object match_labels(std::string_view equalities) {
  json::object made;
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
  json::object made;
  made["ports"] = std::move(ports);
  made["from"] = std::move(from);
  return made;
}

json::array admin_port(const gateway& from) {
  json::array made;
  made.push_back(json::object{{"protocol", "TCP"}, {"port", from.config.admin_port}});
  return made;
}

// Its pods beside the gateways, as deploy/ labels them: it asks which listeners there are.
json::array operator_itself() {
  json::object pods;
  pods["matchLabels"] = json::object{{"app", "egress-operator"}};
  json::object one;
  one["podSelector"] = std::move(pods);
  json::array made;
  made.push_back(std::move(one));
  return made;
}

}  // namespace

json::object network_policy(const gateway& from) {
  auto made = new_child(kube::kind::network_policy, from);
  json::array ports, peers, rules;
  for (const auto& port : from.spec.ports)
    ports.push_back(json::object{{"protocol", port.protocol}, {"port", port.port}});
  peers.push_back(allowed("allowed-" + std::string(from.name), "true"));
  if (from.hardened()) peers.push_back(allowed("allowed-gateway", from.name));
  rules.push_back(rule(std::move(ports), std::move(peers)));
  if (from.hardened() && !from.settings.metrics_from.empty()) {
    json::array scrapers;
    scrapers.push_back(peer(match_labels(from.settings.metrics_from)));
    rules.push_back(rule(admin_port(from), std::move(scrapers)));
  }
  if (from.reloads()) rules.push_back(rule(admin_port(from), operator_itself()));
  json::object spec;
  spec["podSelector"] = selector(from);
  spec["ingress"] = std::move(rules);
  spec["policyTypes"] = json::array{"Ingress"};
  made["spec"] = std::move(spec);
  return made;
}

}  // namespace egress::desired
