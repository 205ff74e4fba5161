#include "runtime/devserver/discovery.hpp"

#include <fmt/format.h>

#include <set>

namespace egress::dev {
namespace {

json::array verbs_of(const resource& of) {
  if (of.allowed == access::read_only) return {"get", "list", "watch"};
  return {"create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"};
}

json::object entry(const resource& of) {
  json::object made{{"name", of.plural},           {"singularName", of.singular},
                    {"namespaced", of.namespaced}, {"kind", of.kind},
                    {"verbs", verbs_of(of)},       {"storageVersionHash", of.qualified_name()}};
  if (!of.short_name.empty()) made["shortNames"] = json::array{of.short_name};
  if (of.plural == "customresourcedefinitions") made["shortNames"] = json::array{"crd", "crds"};
  if (of.in_all) made["categories"] = json::array{"all"};
  return made;
}

void add_subresources(const resource& of, json::array& to) {
  if (of.allowed == access::read_only) return;
  if (of.status)
    to.push_back(json::object{{"name", fmt::format("{}/status", of.plural)},
                              {"singularName", ""},
                              {"namespaced", of.namespaced},
                              {"kind", of.kind},
                              {"verbs", json::array{"get", "patch", "update"}}});
  if (of.scale)
    to.push_back(json::object{{"name", fmt::format("{}/scale", of.plural)},
                              {"singularName", ""},
                              {"namespaced", of.namespaced},
                              {"group", "autoscaling"},
                              {"version", "v1"},
                              {"kind", "Scale"},
                              {"verbs", json::array{"get", "patch", "update"}}});
}

// The versions of a group, the preferred one first: the table has them in that order.
std::vector<std::string_view> versions_of(std::string_view group, const served_filter& served) {
  std::vector<std::string_view> found;
  for (const auto& one : all_resources())
    if (one.group == group && served(one) && (found.empty() || found.back() != one.version))
      found.push_back(one.version);
  return found;
}

json::object version_entry(std::string_view group, std::string_view version) {
  return {{"groupVersion", fmt::format("{}/{}", group, version)}, {"version", version}};
}

json::object group_entry(std::string_view group, const std::vector<std::string_view>& versions) {
  json::array all;
  for (const auto version : versions) all.push_back(version_entry(group, version));
  return {{"name", group},
          {"versions", std::move(all)},
          {"preferredVersion", version_entry(group, versions.front())}};
}

}  // namespace

json::object version_info() {
  return {{"major", "1"},    {"minor", "34"},           {"gitVersion", "v1.34.0+egress-operator.dev"},
          {"gitCommit", ""}, {"gitTreeState", "clean"}, {"buildDate", "1970-01-01T00:00:00Z"},
          {"goVersion", ""}, {"compiler", "clang"},     {"platform", "linux/amd64"}};
}

json::object core_versions() {
  return {{"kind", "APIVersions"},
          {"versions", json::array{"v1"}},
          {"serverAddressByClientCIDRs", json::array{}}};
}

json::object group_list(const served_filter& served) {
  json::array groups;
  std::set<std::string_view> seen;
  for (const auto& one : all_resources())
    if (!one.group.empty() && served(one) && seen.insert(one.group).second)
      groups.push_back(group_entry(one.group, versions_of(one.group, served)));
  return {{"kind", "APIGroupList"}, {"apiVersion", "v1"}, {"groups", std::move(groups)}};
}

std::optional<json::object> group_info(std::string_view group, const served_filter& served) {
  const auto versions = versions_of(group, served);
  if (group.empty() || versions.empty()) return std::nullopt;
  auto made = group_entry(group, versions);
  made["kind"] = "APIGroup";
  made["apiVersion"] = "v1";
  return made;
}

std::optional<json::object> resource_list(std::string_view group, std::string_view version,
                                          const served_filter& served) {
  json::array resources;
  for (const auto& one : all_resources()) {
    if (one.group != group || one.version != version || !served(one)) continue;
    resources.push_back(entry(one));
    add_subresources(one, resources);
  }
  if (resources.empty()) return std::nullopt;
  return json::object{
      {"kind", "APIResourceList"},
      {"apiVersion", "v1"},
      {"groupVersion", group.empty() ? std::string{version} : fmt::format("{}/{}", group, version)},
      {"resources", std::move(resources)}};
}

}  // namespace egress::dev
