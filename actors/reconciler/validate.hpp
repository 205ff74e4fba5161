#pragma once
// Can this ExternalService work? What cannot is refused with a condition that says why, and gets no half-made
// children. Every rule is here (the CRD repeats some, for who runs kubectl). Pure.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/settings.hpp"
#include "runtime/kube/object.hpp"

namespace egress::reconciler {

struct refusal {
  std::string reason;   // of the condition, CamelCase: "InvalidPort"
  std::string message;  // one line: what, where, what to do
  friend bool operator==(const refusal&, const refusal&) = default;
};

// The first rule that the object breaks. Whether another ExternalService has its dnsName already is decided
// over all of them (dns_names.hpp): name_taken makes that refusal.
std::optional<refusal> validate(const kube::object& external_service,
                                gateway_profile profile = gateway_profile::hardened,
                                std::string_view cluster_domain = "cluster.local");

// So many bytes are too much of a configuration: no ConfigMap holds it. Asked when it is rendered, as the
// spec alone does not say.
std::optional<refusal> too_large(std::size_t configuration);

refusal name_taken(const kube::object& loser, std::string_view winner);

// Something works differently than the spec may suggest: told in a condition, nothing is refused.
struct notice {
  std::string reason, message;
  friend bool operator==(const notice&, const notice&) = default;
};

// AutoscalerWithoutCPU: resources without CPU. FieldsWithoutEffect: our own fields in `compatible`.
// EnvoyRejectsUDP: Envoy refuses the UDP listeners that `compatible` renders. OverrideNotChecked: UDP ports
// whose ipOverride has no health check. SNINotChecked: UDP ports beside spec.tls.sni.
std::vector<notice> notices(const kube::external_service_spec& spec, gateway_profile profile);

}  // namespace egress::reconciler
