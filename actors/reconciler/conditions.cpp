#include "actors/reconciler/conditions.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <string_view>

#include "actors/reconciler/dns_name.hpp"
#include "actors/reconciler/search_domains.hpp"

namespace egress::reconciler {
namespace {

using kube::condition;
using std::string_view;

condition make(string_view type, bool holds, string_view reason, std::string message) {
  return {.type = std::string(type),
          .status = holds ? "True" : "False",
          .reason = std::string(reason),
          .message = std::move(message),
          .last_transition_time = {},
          .observed_generation = 0};
}

bool holds(const condition& one) {
  return one.status == "True";
}

condition copy_as(string_view type, bool status, const condition& of) {
  return make(type, status, of.reason, of.message);
}

bool has_udp_port(const kube::external_service_spec& spec) {
  return std::ranges::find(spec.ports, "UDP", &kube::service_port::protocol) != spec.ports.end();
}

condition accepted(const status_facts& facts) {
  if (facts.refused) return make("Accepted", false, facts.refused->reason, facts.refused->message);
  std::string notes;
  for (const auto& [reason, message] :
       notices(facts.external_service.as_external_service().spec, facts.profile))
    if (reason != "EnvoyRejectsUDP") notes += (notes.empty() ? "" : "; ") + message;  // GatewayReady says it
  if (notes.empty()) return make("Accepted", true, "Accepted", "the specification is valid");
  return make("Accepted", true, "AcceptedWithReservations", std::move(notes));
}

struct problem {
  string_view reason;
  std::string message;
};

// Worst first: what only people can mend goes before what passes by itself.
std::optional<string_view> reason_of(child_state state) {
  switch (state) {
    case child_state::name_taken:
      return "NameTaken";
    case child_state::rejected:
    case child_state::forbidden:
      return "ChildRejected";
    case child_state::failed:
      return "InternalError";
    case child_state::replacing:
    case child_state::deleting:
      return "Replacing";
    default:
      return std::nullopt;
  }
}

std::optional<problem> child_problem(const child_outcomes& all) {
  constexpr std::array worst_first{child_state::name_taken, child_state::rejected,  child_state::forbidden,
                                   child_state::failed,     child_state::replacing, child_state::deleting};
  for (const auto state : worst_first) {
    std::string messages;
    for (const auto& one : all)
      if (one.state == state) messages += (messages.empty() ? "" : "; ") + one.message;
    if (std::ranges::find(all, state, &child_outcome::state) != all.end())
      return problem{*reason_of(state), std::move(messages)};
  }
  return std::nullopt;
}

std::optional<problem> problem_of(const status_facts& facts) {
  if (facts.internal_error) return problem{"InternalError", *facts.internal_error};
  return child_problem(facts.outcomes);
}

condition gateway_ready(const status_facts& facts) {
  const auto no = [](string_view reason, std::string message) {
    return make("GatewayReady", false, reason, std::move(message));
  };
  const auto& outcome = facts.outcomes[kube::child_index(kube::kind::deployment)];
  const auto* deployment = own(facts.external_service, facts.live, kube::kind::deployment);
  if (!deployment) {
    if (const auto reason = reason_of(outcome.state)) return no(*reason, outcome.message);
    return no("DeploymentMissing", "there is no Deployment yet");
  }
  const auto& live = *facts.live[kube::child_index(kube::kind::deployment)];
  if (deployment->replicas == 0)
    return no("ScaledToZero",
              "the Deployment is scaled to 0 replicas, which stops its autoscaler, too: scale it up");
  // Also while pods of before the UDP port are ready: those that have it never are.
  const auto& spec = facts.external_service.as_external_service().spec;
  if (facts.profile == gateway_profile::compatible && has_udp_port(spec))
    return no(
        "EnvoyRejectsUDP",
        "Envoy refuses the UDP listeners of the compatible gateway profile: use --gateway-profile=hardened");
  if (deployment->observed_generation < live.meta.generation)
    return no("RolloutPending", "the Deployment controller has not seen the last change yet");
  if (deployment->ready_replicas >= 1)
    return make("GatewayReady", true, "GatewayReady",
                fmt::format("{} of {} replicas ready", deployment->ready_replicas, deployment->replicas));
  return no("NoReadyReplicas", fmt::format("none of {} replicas is ready", deployment->replicas));
}

// What the Service says of the name.
condition service_hijacks(const status_facts& facts) {
  const auto no = [](string_view reason, std::string message) {
    return make("DNSHijacked", false, reason, std::move(message));
  };
  const auto& spec = facts.external_service.as_external_service().spec;
  const auto& outcome = facts.outcomes[kube::child_index(kube::kind::service)];
  const auto* service = own(facts.external_service, facts.live, kube::kind::service);
  if (!service) {
    if (const auto reason = reason_of(outcome.state)) return no(*reason, outcome.message);
    return no("ServiceMissing", "there is no Service yet");
  }
  if (service->hijack_label != "true")
    return no("WaitingForPods", "hijacking starts when a gateway pod is ready");
  if (service->cluster_ips.empty()) return no("NoClusterIP", "the Service has no cluster IP");
  if (dns_name_key(service->dns_name) != dns_name_key(spec.dns_name))
    return no("OtherName", fmt::format("the Service still hijacks {}", service->dns_name));
  return make("DNSHijacked", true, "DNSHijacked",
              fmt::format("{} is answered with {}", spec.dns_name, fmt::join(service->cluster_ips, ", ")));
}

condition dns_hijacked(const status_facts& facts) {
  const auto& spec = facts.external_service.as_external_service().spec;
  if (!spec.hijack_dns) return make("DNSHijacked", false, "Disabled", "spec.hijackDns is false");
  // Whatever its Service says: the older one's answers, or will as soon as it can; and no table has the
  // other.
  if (facts.refused && (facts.refused->reason == "DNSNameTaken" || facts.refused->reason == "ClusterName"))
    return make("DNSHijacked", false, facts.refused->reason, facts.refused->message);
  auto now = service_hijacks(facts);
  if (holds(now)) return now;
  // DNS goes on with its last answer for the name of this spec, whatever becomes of the Service; and another
  // process, which has not given it, does so when this says that there is one.
  const auto before = facts.previous.conditions.find("DNSHijacked");
  const bool goes_on = before && before->status == "True" &&
                       facts.previous.observed_generation == facts.external_service.meta.generation;
  if (!goes_on) return now;
  return make("DNSHijacked", true, "LastAnswer",
              fmt::format("{} is answered as before, but: {}", spec.dns_name, now.message));
}

// A wildcard below which every search of a short name ends: nothing to refuse, but seldom what was meant.
std::optional<condition> search_domain_covered(const status_facts& facts) {
  const auto& spec = facts.external_service.as_external_service().spec;
  if (facts.refused || !spec.hijack_dns) return std::nullopt;
  const auto domain = covered_search_domain(spec.dns_name, facts.search_domains);
  if (domain.empty()) return std::nullopt;
  return make(
      "SearchDomainCovered", true, "SearchDomainCovered",
      fmt::format("{} has every name below {}, a search domain of pods or of the operator: short names that "
                  "resolvers complete with it reach the gateway, too",
                  spec.dns_name, domain));
}

condition ready(const status_facts& facts, const condition& accept, const condition& gateway,
                const condition& dns) {
  if (!holds(accept)) return copy_as("Ready", false, accept);
  if (const auto problem = problem_of(facts)) return make("Ready", false, problem->reason, problem->message);
  if (!holds(gateway)) return copy_as("Ready", false, gateway);
  if (!facts.waits_for_listeners.empty())
    return make("Ready", false, "WaitingForListeners", facts.waits_for_listeners);
  const bool hijack = facts.external_service.as_external_service().spec.hijack_dns;
  if (hijack && dns.reason != "DNSHijacked") return copy_as("Ready", false, dns);
  return make("Ready", true, "Ready", hijack ? dns.message : gateway.message);
}

// Nothing but a person's change gets it further.
bool needs_a_person(const condition& not_ready, bool accepted) {
  return !accepted || is_stuck(not_ready.reason);
}

}  // namespace

std::vector<condition> conditions_of(const status_facts& facts) {
  auto accept = accepted(facts);
  auto gateway = gateway_ready(facts);
  auto dns = dns_hijacked(facts);
  auto all = ready(facts, accept, gateway, dns);
  std::vector<condition> out{std::move(accept), std::move(gateway), std::move(dns)};
  const bool stalled = !holds(all) && needs_a_person(all, holds(out.front()));
  if (stalled) out.push_back(copy_as("Stalled", true, all));
  if (!holds(all) && !stalled) out.push_back(copy_as("Reconciling", true, all));
  out.insert(out.begin(), std::move(all));
  if (auto covered = search_domain_covered(facts)) out.push_back(std::move(*covered));
  return out;
}

bool is_stuck(std::string_view reason) {
  constexpr std::array stuck{std::string_view("NameTaken"), std::string_view("ChildRejected"),
                             std::string_view("ScaledToZero"), std::string_view("EnvoyRejectsUDP")};
  return std::ranges::find(stuck, reason) != stuck.end();
}

}  // namespace egress::reconciler
