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
  std::optional<refusal> refused{};  // too_large(): then there are no children
};

bool has_ipv6_address(const kube::child& service);

// Whether the gateway's listeners take IPv6: where its Service has an address of it. While the Service has
// none of either family, being made or made again, as others of this cluster have (`elsewhere`): a Deployment
// that is rendered for the wrong family rolls a moment later.
bool listens_on_ipv6(const live_children& live, bool elsewhere);

// `live` decides the hijack label: on ready pods of its own. The object must have passed refused().
desired_gateway desired_of(const kube::object& external_service, const live_children& live, bool ipv6,
                           const gateway_settings& settings, const kube::projection_rules& rules);

// What desired_of() depends on beside the settings: as long as it is the same, so is what was rendered.
struct rendering_key {
  std::int64_t generation = -1;  // of the ExternalService
  kube::object_uid uid;
  std::string hijack;  // the Service's next label
  bool ipv6 = false;
  friend bool operator==(const rendering_key&, const rendering_key&) = default;
};
rendering_key key_of(const kube::object& external_service, const live_children& live, bool ipv6);

// The digests of the last rendering: enough to see that nothing is to be done, without rendering again.
struct remembered_rendering {
  kube::object_ptr of;  // what was rendered; the snapshot's, unless that is new and not rendered yet
  rendering_key key;
  std::array<std::optional<kube::digest>, kube::child_count> projected;
  std::string config_hash;
};
remembered_rendering remember(kube::object_ptr external_service, rendering_key key,
                              const desired_gateway& desired);
// Whether a child says something that other children are rendered by, and the last rendering did not know of:
// pods that are ready, the addresses of a Service.
bool tells_others(const kube::child& live, const std::optional<remembered_rendering>& last);
// Whether every child is as it should be.
bool nothing_to_do(const kube::object& external_service, const remembered_rendering& last,
                   const live_children& live, bool ipv6,
                   const std::array<std::optional<settled>, kube::child_count>& known);

// Of the live children that are as the last rendering made them, and are to be something else now, what they
// were rendered as: to edit one, that need not be read. The others are left out.
desired_children made_before(const std::optional<remembered_rendering>& last, const live_children& live,
                             const desired_children& wanted, const gateway_settings& settings,
                             const kube::projection_rules& rules);

// validate(), and whether another ExternalService (claimed_by, "" for none) has the dnsName already.
std::optional<refusal> refused(const kube::object& external_service, std::string_view claimed_by,
                               const gateway_settings& settings);

}  // namespace egress::reconciler
