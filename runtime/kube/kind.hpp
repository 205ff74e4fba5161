#pragma once
// The kinds of API objects this program reads or writes, and where the API server keeps each.

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace egress::kube {

enum class kind : std::uint8_t {
  external_service,
  config_map,
  deployment,
  horizontal_pod_autoscaler,
  service,
  network_policy,
  pod_disruption_budget,
  event,
  lease,
};

// The six children of an ExternalService.
inline constexpr std::array child_kinds{
    kind::config_map, kind::deployment,     kind::horizontal_pod_autoscaler,
    kind::service,    kind::network_policy, kind::pod_disruption_budget};
inline constexpr std::size_t child_count = child_kinds.size();

// Every kind that has an informer.
inline constexpr std::array watched_kinds{
    kind::external_service, kind::config_map,     kind::deployment,           kind::horizontal_pod_autoscaler,
    kind::service,          kind::network_policy, kind::pod_disruption_budget};

// Position of a child kind in child_kinds; kind must be a child.
constexpr std::size_t child_index(kind of) {
  return static_cast<std::size_t>(of) - 1;
}

struct kind_info {
  std::string_view name;         // "Deployment"
  std::string_view api_version;  // "apps/v1"
  std::string_view plural;       // "deployments"
  bool namespaced;
};

const kind_info& info(kind of);

// "/apis/apps/v1/namespaces/NS/deployments", or "/apis/egress.monzo.com/v1/externalservices".
std::string collection_path(kind of, std::string_view name_space);
// The collection's path and the name behind it, percent-encoded.
std::string object_path(kind of, std::string_view name_space, std::string_view name);

}  // namespace egress::kube
