#include "runtime/devserver/gateway_config.hpp"

#include "runtime/devserver/tree.hpp"
#include "runtime/kube/json_text.hpp"
#include "runtime/kube/yaml_tree.hpp"

namespace egress::dev {
namespace {

constexpr std::string_view mounted_in = "/etc/envoy";

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

void move_listeners(json::array& listeners, const std::string& address) {
  for (auto& one : listeners) {
    bind_to(one, address);
    if (auto* const listener = one.if_object()) (*listener)["enableReusePort"] = false;
  }
}

// One document, a map.
result<json::value> read_map(std::string_view text, const std::string& name) {
  auto documents = kube::read_yaml(text, name);
  if (!documents) return std::unexpected(documents.error());
  if (documents->size() != 1 || !documents->front().root.is_object())
    return fail("{}: it must be one map", name);
  return std::move(documents->front().root);
}

// cds.yaml or lds.yaml.
result<std::string> resources_on_this_machine(std::string_view text, const std::string& name,
                                              const std::string& address) {
  auto read = read_map(text, name);
  if (!read) return std::unexpected(read.error());
  auto* const resources = member(*read, "resources");
  if (resources == nullptr || !resources->is_array()) return fail("{}: it has no resources", name);
  if (name == "lds.yaml") move_listeners(resources->get_array(), address);
  rename_abstract_sockets(*read, "-" + address);
  return json::pretty_text(*read);
}

void move_paths(json::value& in, const std::string& folder) {
  if (auto* const items = in.if_array())
    for (auto& item : *items) move_paths(item, folder);
  auto* const members = in.if_object();
  if (members == nullptr) return;
  for (auto& one : *members) {
    auto* const text = one.value().if_string();
    if (text != nullptr && one.key() == "path" && text->starts_with(mounted_in))
      one.value() = folder + std::string(std::string_view(*text).substr(mounted_in.size()));
    else
      move_paths(one.value(), folder);
  }
}

}  // namespace

result<std::string> config_on_this_machine(std::string_view envoy_yaml, const std::string& address,
                                           const std::vector<name_server>& resolvers) {
  auto read = read_map(envoy_yaml, "envoy.yaml");
  if (!read) return std::unexpected(read.error());
  auto& root = *read;
  auto* const statics = member(root, "staticResources");
  auto* const listeners = statics == nullptr ? nullptr : member(*statics, "listeners");
  if (listeners != nullptr && listeners->is_array())
    move_listeners(listeners->get_array(), address);
  else if (member(root, "dynamicResources") == nullptr)
    return fail("envoy.yaml: it has no listeners");
  if (auto* const admin = member(root, "admin")) bind_to(*admin, address);
  rename_abstract_sockets(root, "-" + address);
  root.get_object()["typedDnsResolverConfig"] = resolver(resolvers);
  return json::pretty_text(root);
}

result<config_files> files_on_this_machine(const config_files& mounted, const std::string& address,
                                           const std::vector<name_server>& resolvers) {
  config_files made;
  for (const auto& [name, text] : mounted) {
    auto moved = name == "envoy.yaml" ? config_on_this_machine(text, address, resolvers)
                                      : resources_on_this_machine(text, name, address);
    if (!moved) return std::unexpected(moved.error());
    made[name] = *std::move(moved);
  }
  return made;
}

std::string mounted_at(const std::string& envoy_yaml, const std::string& folder) {
  auto root = read_map(envoy_yaml, "envoy.yaml");
  if (!root) return envoy_yaml;
  move_paths(*root, folder);
  return json::pretty_text(*root);
}

}  // namespace egress::dev
