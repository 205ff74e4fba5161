#pragma once
// The status of an ExternalService, made of what is known: pure, so that a status that did not change is
// never written. Conditions: Accepted, GatewayReady, DNSHijacked, Ready, and there only while True: kstatus'
// Stalled and Reconciling, and SearchDomainCovered.

#include <optional>
#include <span>
#include <string>

#include "actors/reconciler/child_outcome.hpp"
#include "actors/reconciler/validate.hpp"
#include "runtime/base/settings.hpp"
#include "runtime/base/time.hpp"
#include "runtime/kube/json.hpp"
#include "runtime/kube/object.hpp"

namespace egress::reconciler {

struct status_facts {
  const kube::object& external_service;           // spec, generation
  const kube::external_service_status& previous;  // as of expectations::effective_status
  std::optional<refusal> refused;
  const child_outcomes& outcomes;  // of this run; all in order when nothing was tried
  const live_children& live;       // after this run: outcome.now where it wrote, else what was seen
  std::string config_hash;         // "" keeps the previous one (refused: gateways keep their configuration)
  gateway_profile profile = gateway_profile::hardened;
  std::optional<std::string> internal_error;  // the run itself failed: Ready=False, InternalError
  wall_time now;
  std::span<const std::string> search_domains = {};  // of our resolv.conf (search_domains.hpp)
  std::string waits_for_listeners{};  // why a port is not in the Service yet, one line; "" when all are
};

// Whether the group's discovery document (APIResourceList) names the status subresource; true when it cannot
// be read.
bool serves_status(std::string_view discovery);

// observedGeneration is the generation given; lastTransitionTime stays while a condition's status does.
kube::external_service_status status_of(const status_facts& facts);

// Whether writing `wanted` would change anything.
bool differs(const kube::external_service_status& now, const kube::external_service_status& wanted);

// Whether that is nothing but what conditions say in words: the same types with the same status and reason.
bool differs_in_words_only(const kube::external_service_status& now,
                           const kube::external_service_status& wanted);

// The merge patch for the status subresource, guarded by the resourceVersion. `in`: where it lives.
json::object status_patch(const kube::external_service_status& status, const std::string& resource_version,
                          const json::storage_ptr& in = {});

// After a run: what is live now, given what was before.
live_children after(const live_children& before, const child_outcomes& outcomes);

}  // namespace egress::reconciler
