#include "runtime/kube/known_fields.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>
#include <string_view>
#include <utility>

namespace egress::kube {
namespace {

using names = std::initializer_list<std::string_view>;
using finding = std::optional<std::string>;

constexpr names of_spec{"dnsName",
                        "ports",
                        "hijackDns",
                        "minReplicas",
                        "maxReplicas",
                        "targetCPUUtilizationPercentage",
                        "resources",
                        "ipOverride",
                        "envoyClusterMaxConnections",
                        "envoyLogLevel",
                        "envoyDnsRefreshRateS",
                        "envoyRespectDnsTTL",
                        "serviceTopologyMode",
                        "envoyJsonAdminAccessLogs",
                        "envoyJsonClusterAccessLogs",
                        "tls",
                        "configDelivery",
                        "allowPrivate",
                        "dnsClients"};
constexpr names of_object{"apiVersion", "kind", "metadata", "spec", "status"};
constexpr names of_port{"port", "protocol"}, of_resources{"limits", "requests", "claims"}, of_tls{"sni"};

bool differ_in_case_only(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; };
  return std::ranges::equal(a, b, {}, lower, lower);
}

// The name may be anything: it goes into one line.
std::string shown(std::string_view name) {
  std::string out(name.substr(0, 80));
  std::ranges::replace_if(out, [](char c) { return c < ' ' || c == 0x7f; }, '?');
  return out;
}

finding unknown_in(const json::object& what, const std::string& path, names known) {
  for (const auto& member : what) {
    const std::string_view name = member.key();
    if (std::ranges::find(known, name) != known.end()) continue;
    const auto* meant =
        std::ranges::find_if(known, [&](std::string_view one) { return differ_in_case_only(one, name); });
    return fmt::format("{}{}: no such field{}", path, shown(name),
                       meant == known.end() ? "" : fmt::format("; did you mean {}?", *meant));
  }
  return std::nullopt;
}

finding unknown_in(const json::value* what, const std::string& path, names known) {
  if (what == nullptr || !what->is_object()) return std::nullopt;
  return unknown_in(what->get_object(), path + ".", known);
}

finding unknown_in_ports(const json::value* ports) {
  if (ports == nullptr || !ports->is_array()) return std::nullopt;
  std::size_t index = 0;
  for (const auto& port : ports->get_array())
    if (auto found = unknown_in(&port, fmt::format("spec.ports[{}]", index++), of_port)) return found;
  return std::nullopt;
}

}  // namespace

std::optional<std::string> unknown_field(const json::object& object) {
  // Mostly indented by too little.
  for (const auto name : of_spec)
    if (object.contains(name)) return fmt::format("{}: no such field; did you mean spec.{}?", name, name);
  if (auto found = unknown_in(object, "", of_object)) return found;
  const auto* spec = object.if_contains("spec");
  if (auto found = unknown_in(spec, "spec", of_spec)) return found;
  if (spec == nullptr || !spec->is_object()) return std::nullopt;
  const auto& members = spec->get_object();
  if (auto found = unknown_in_ports(members.if_contains("ports"))) return found;
  if (auto found = unknown_in(members.if_contains("resources"), "spec.resources", of_resources)) return found;
  return unknown_in(members.if_contains("tls"), "spec.tls", of_tls);
}

std::vector<std::string> known_fields() {
  std::vector<std::string> all;
  for (const auto& [path, known] : {std::pair{"spec.", of_spec},
                                    {"spec.ports.", of_port},
                                    {"spec.resources.", of_resources},
                                    {"spec.tls.", of_tls}})
    for (const auto name : known) all.push_back(std::string(path).append(name));
  return all;
}

}  // namespace egress::kube
