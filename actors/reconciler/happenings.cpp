#include "actors/reconciler/happenings.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "actors/reconciler/conditions.hpp"
#include "actors/reconciler/shortened.hpp"
#include "actors/reconciler/status.hpp"

namespace egress::reconciler {
namespace {

happening about(const kube::object& external_service, event_kind how, std::string_view reason,
                std::string_view message) {
  const auto& meta = external_service.meta;
  return {meta.name, std::string(meta.uid.view()), meta.resource_version,
          how,       std::string(reason),          shortened(std::string(message))};
}

std::string status_in(const kube::external_service_status& status, std::string_view type) {
  const auto found = status.conditions.find(type);
  return std::string(found ? found->status : "");
}

// False for a reason that is not a normal part of coming up.
bool needs_a_person(const kube::condition_view& now) {
  return now.status == "False" && (now.type == "Accepted" || is_stuck(now.reason));
}

// A gateway that served. A change that the Deployment controller has not seen yet is routine, and passes in
// an instant; what comes of it is told then.
bool went_away(const kube::condition_view& now, const kube::external_service_status& before,
               const kube::external_service_status& after) {
  const auto then = before.conditions.find("GatewayReady");
  if (!then || now.status != "False") return false;
  const bool rolls = now.reason == "RolloutPending";
  if (then->status == "True") return !rolls || after.ready_replicas == 0;
  return then->reason == "RolloutPending" && !rolls && before.ready_replicas > 0;
}

}  // namespace

happening without_status(const kube::object& external_service) {
  return about(
      external_service, event_kind::warning, "StatusUnavailable",
      "the definition of ExternalService has no status subresource, so that no condition can be shown: "
      "install the definition of this version");
}

std::vector<happening> happenings_of(const kube::object& external_service,
                                     const kube::external_service_status& before,
                                     const kube::external_service_status& after) {
  std::vector<happening> all;
  for (const auto& now : after.conditions.all()) {
    const auto then = before.conditions.find(now.type);
    const bool same = then && then->status == now.status && then->reason == now.reason;
    if (same) continue;
    if (needs_a_person(now))
      all.push_back(about(external_service, event_kind::warning, now.reason, now.message));
    else if (now.type == "SearchDomainCovered")
      all.push_back(about(external_service, event_kind::warning, now.reason, now.message));
    else if (now.type == "DNSHijacked" && now.status == "True" && status_in(before, now.type) != "True")
      all.push_back(about(external_service, event_kind::normal, "DNSHijacked", now.message));
    else if (now.type == "GatewayReady" && went_away(now, before, after))
      all.push_back(about(external_service, event_kind::warning, "GatewayNotReady", now.message));
  }
  // Ready repeats what another condition says with the same reason.
  for (auto one = all.begin(); one != all.end();) {
    const bool repeated = std::any_of(
        all.begin(), one, [&](const happening& earlier) { return earlier.reason == one->reason; });
    one = repeated ? all.erase(one) : std::next(one);
  }
  return all;
}

repair_watch::repair& repair_watch::of(std::size_t child) {
  const auto found = std::ranges::find(last_, child, &repair::child);
  if (found != last_.end()) return *found;
  last_.push_back({.child = child});
  return last_.back();
}

std::vector<happening> repair_watch::look(const kube::object& external_service,
                                          const child_outcomes& outcomes,
                                          const std::array<kube::digest, kube::child_count>& wanted,
                                          wall_time now) {
  constexpr std::chrono::minutes again_within{1}, tell_every{10};
  std::vector<happening> all;
  for (std::size_t i = 0; i < kube::child_count; ++i) {
    const auto& outcome = outcomes[i];
    if (outcome.did != action::repair || outcome.repaired.empty()) continue;
    auto& last = of(i);
    // Ports that were held back come with a second write towards the same.
    const bool expected = outcome.ports_held.size() < last.held;
    const bool undone = last.towards == wanted[i] && now - last.at < again_within && !expected;
    last.towards = wanted[i];
    last.held = outcome.ports_held.size();
    last.at = now;
    if (!undone || now - last.told < tell_every) continue;
    last.told = now;
    all.push_back(about(external_service, event_kind::warning, "RepairedAgain",
                        fmt::format("somebody keeps changing {} {}: put right again at {}",
                                    kube::info(kube::child_kinds[i]).name, external_service.meta.name,
                                    fmt::join(outcome.repaired, ", "))));
  }
  return all;
}

}  // namespace egress::reconciler
