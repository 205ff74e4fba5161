#include "actors/reconciler/validate_resources.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string_view>

#include "actors/reconciler/shortened.hpp"
#include "runtime/kube/quantity.hpp"

namespace egress::reconciler {
namespace {

using problem = std::optional<std::string>;
using amounts = std::map<std::string, std::string>;

constexpr bool alphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

// A container's resources are cpu, memory, ephemeral-storage, hugepages-SIZE, or qualified names of devices
// (example.com/gpu).
bool is_resource_name(std::string_view name) {
  if (name == "cpu" || name == "memory" || name == "ephemeral-storage") return true;
  const auto slash = name.find('/');
  const auto last = slash == std::string_view::npos ? name : name.substr(slash + 1);
  const bool formed =
      !last.empty() && last.size() <= 63 && alphanumeric(last.front()) && alphanumeric(last.back()) &&
      std::ranges::all_of(last, [](char c) { return alphanumeric(c) || c == '-' || c == '_' || c == '.'; });
  if (slash == std::string_view::npos) return formed && name.starts_with("hugepages-");
  return formed && slash > 0;
}

problem check_amounts(std::string_view section, const amounts& written) {
  for (const auto& [resource, text] : written) {
    if (!is_resource_name(resource))
      return fmt::format(
          "spec.resources.{} names {}, which is no resource of a container: use cpu, memory, "
          "ephemeral-storage, or a device's qualified name",
          section, shown(resource));
    const auto amount = kube::quantity::parse(text);
    if (!amount) return fmt::format("spec.resources.{}.{}: {}", section, resource, amount.error().message);
    if (amount->negative())
      return fmt::format("spec.resources.{}.{} is {}: must not be negative", section, resource, text);
  }
  return std::nullopt;
}

// Devices and huge pages cannot be overcommitted.
bool must_be_equal(std::string_view resource) {
  return resource.contains('/') || resource.starts_with("hugepages-");
}

problem check_pair(const std::string& resource, const std::string& request, const amounts& limits) {
  const auto limit = limits.find(resource);
  if (limit == limits.end()) {
    if (!must_be_equal(resource)) return std::nullopt;
    return fmt::format("spec.resources.requests.{} has no limit: set the same amount as its limit", resource);
  }
  const auto asked = kube::quantity::parse(request), most = kube::quantity::parse(limit->second);
  if (*asked > *most)
    return fmt::format(
        "spec.resources.requests.{} {} is more than its limit {}: lower one or raise the other", resource,
        request, limit->second);
  if (must_be_equal(resource) && *asked != *most)
    return fmt::format("spec.resources.requests.{} {} differs from its limit {}: set the same amount",
                       resource, request, limit->second);
  return std::nullopt;
}

}  // namespace

std::optional<std::string> resources_problem(const std::optional<kube::resource_requirements>& resources) {
  if (!resources) return std::nullopt;
  if (resources->claims) return "spec.resources.claims is set: a gateway has no resource claims, remove it";
  if (auto no = check_amounts("requests", resources->requests)) return no;
  if (auto no = check_amounts("limits", resources->limits)) return no;
  for (const auto& [resource, request] : resources->requests)
    if (auto no = check_pair(resource, request, resources->limits)) return no;
  return std::nullopt;
}

}  // namespace egress::reconciler
