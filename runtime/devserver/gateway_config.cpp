#include "runtime/devserver/gateway_config.hpp"

#include "runtime/devserver/tree.hpp"
#include "runtime/kube/json_text.hpp"
#include "runtime/kube/yaml_tree.hpp"

namespace egress::dev {
namespace {

json::value* member(json::value& of, std::string_view name) {
  auto* const members = of.if_object();
  return members == nullptr ? nullptr : members->if_contains(name);
}

void bind_to(json::value& holder, const std::string& address) {
  auto* const where = member(holder, "address");
  auto* const socket = where == nullptr ? nullptr : member(*where, "socketAddress");
  if (socket == nullptr || !socket->is_object()) return;
  socket->get_object()["address"] = address;
  // Only [::] takes IPv4 as well.
  remove_member(socket->get_object(), "ipv4Compat");
}

void rename_abstract_sockets(json::value& in, const std::string& suffix) {
  if (auto* const items = in.if_array())
    for (auto& item : *items) rename_abstract_sockets(item, suffix);
  auto* const members = in.if_object();
  if (members == nullptr) return;
  for (auto& one : *members) rename_abstract_sockets(one.value(), suffix);
  auto* const pipe = members->if_contains("pipe");
  auto* const path = pipe == nullptr ? nullptr : member(*pipe, "path");
  if (path != nullptr && path->is_string() && path->get_string().starts_with('@'))
    path->get_string().append(suffix);
}

json::object resolver(const std::vector<name_server>& servers) {
  // The port "discard", where nobody listens.
  static const std::vector<name_server> nobody{{"127.0.0.1", 9}};
  json::array all;
  for (const auto& one : servers.empty() ? nobody : servers)
    all.push_back(json::object{
        {"socketAddress", json::object{{"address", one.address}, {"portValue", std::int64_t{one.port}}}}});
  constexpr const char* type =
      "type.googleapis.com/envoy.extensions.network.dns_resolver.cares.v3.CaresDnsResolverConfig";
  return {{"name", "envoy.network.dns_resolver.cares"},
          {"typedConfig", json::object{{"@type", type}, {"resolvers", std::move(all)}}}};
}

}  // namespace

result<std::string> config_on_this_machine(std::string_view envoy_yaml, const std::string& address,
                                           const std::vector<name_server>& resolvers) {
  auto documents = kube::read_yaml(envoy_yaml, "envoy.yaml");
  if (!documents) return std::unexpected(documents.error());
  if (documents->size() != 1 || !documents->front().root.is_object())
    return fail("envoy.yaml: it must be one map");
  auto& root = documents->front().root;
  auto* const statics = member(root, "staticResources");
  auto* const listeners = statics == nullptr ? nullptr : member(*statics, "listeners");
  if (listeners == nullptr || !listeners->is_array()) return fail("envoy.yaml: it has no listeners");
  for (auto& one : listeners->get_array()) {
    bind_to(one, address);
    if (auto* const listener = one.if_object()) (*listener)["enableReusePort"] = false;
  }
  if (auto* const admin = member(root, "admin")) bind_to(*admin, address);
  rename_abstract_sockets(root, "-" + address);
  root.get_object()["typedDnsResolverConfig"] = resolver(resolvers);
  return json::pretty_text(root);
}

}  // namespace egress::dev
