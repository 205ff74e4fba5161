#pragma once
// What a reconcile works towards: the children of an ExternalService as they are to be in the cluster, with
// their digests. Joins what is rendered (desired/) to what is done about it (plan). Pure.

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "actors/reconciler/plan.hpp"
#include "actors/reconciler/validate.hpp"
#include "runtime/base/settings.hpp"
#include "runtime/kube/projection.hpp"

namespace egress::reconciler {

struct desired_gateway {
  desired_children children;
  std::string config_hash;
};

// `live` decides what depends on it: the hijack label on ready pods, the listeners' address on the Service's
// families. The object must have passed refused().
desired_gateway desired_of(const kube::object& external_service, const live_children& live,
                           const gateway_settings& settings, const kube::projection_rules& rules);

// What desired_of() depends on beside the settings: as long as it is the same, so is what was rendered.
struct rendering_key {
  std::int64_t generation = -1;  // of the ExternalService
  std::string uid;
  std::string hijack;  // the Service's next label
  bool ipv6 = false;
  friend bool operator==(const rendering_key&, const rendering_key&) = default;
};
rendering_key key_of(const kube::object& external_service, const live_children& live);

// The digests of the last rendering: enough to see that nothing is to be done, without rendering again.
struct remembered_rendering {
  rendering_key key;
  std::array<std::optional<kube::digest>, kube::child_count> projected;
  std::string config_hash;
};
remembered_rendering remember(const kube::object& external_service, const live_children& live,
                              const desired_gateway& desired);
// Whether every child is as it should be.
bool nothing_to_do(const kube::object& external_service, const remembered_rendering& last,
                   const live_children& live,
                   const std::array<std::optional<settled>, kube::child_count>& known);

// validate(), and whether another ExternalService (claimed_by, "" for none) has the dnsName already.
std::optional<refusal> refused(const kube::object& external_service, std::string_view claimed_by,
                               gateway_profile profile);

}  // namespace egress::reconciler
