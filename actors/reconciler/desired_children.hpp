#pragma once
// What a reconcile works towards: the children of an ExternalService as they are to be in the cluster, with
// their digests. Joins what is rendered (desired/) to what is done about it (plan). Pure.

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

// validate(), and whether another ExternalService (claimed_by, "" for none) has the dnsName already.
std::optional<refusal> refused(const kube::object& external_service, std::string_view claimed_by,
                               gateway_profile profile);

}  // namespace egress::reconciler
