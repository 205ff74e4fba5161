#include "actors/reconciler/desired_children.hpp"

#include <algorithm>
#include <cstddef>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "actors/reconciler/desired/gateway.hpp"
#include "actors/reconciler/desired/hijack_state.hpp"
#include "actors/reconciler/desired/server_defaults.hpp"
#include "actors/reconciler/effective.hpp"
#include "runtime/kube/json_arena.hpp"

namespace egress::reconciler {
namespace {

// The children of an ExternalService with two ports, as trees: 30 KiB.
constexpr std::size_t first_block = std::size_t{32} * 1024;

const kube::child* child_of(const live_children& live, kube::kind of) {
  const auto& found = live[kube::child_index(of)];
  return found ? &found->as_child() : nullptr;
}

// Trees that go together, and the memory of all of them.
struct rendered_trees {
  rendered_trees() { objects.reserve(kube::child_count); }

  json::kept_arena memory{first_block};
  std::vector<json::object> objects;
};

desired_gateway rendered_for(const rendering_key& key, const kube::object& external_service,
                             const gateway_settings& settings, const kube::projection_rules& rules) {
  const auto all = std::make_shared<rendered_trees>();
  const auto gateway = desired::make_gateway(external_service, settings, key.ipv6, all->memory.storage());
  desired_gateway made;
  if ((made.refused = too_large(gateway.config.size()))) return made;
  made.config_hash = gateway.config.version;
  for (const auto kind : kube::child_kinds) {
    if (!desired::wanted(kind, settings)) continue;
    auto object = desired::with_server_defaults(kind, desired::render_child(kind, gateway, key.hijack));
    object = desired::for_creation(kind, std::move(object), replica_bounds(gateway.spec).min);
    const auto& kept = all->objects.emplace_back(std::move(object));
    made.children[kube::child_index(kind)] = rendered_child{
        kind, std::shared_ptr<const json::object>(all, &kept), kube::projected_digest(kind, kept, rules)};
  }
  return made;
}

}  // namespace

bool has_ipv6_address(const kube::child& service) {
  return std::ranges::any_of(service.cluster_ips, [](const std::string& ip) { return ip.contains(':'); });
}

bool listens_on_ipv6(const live_children& live, bool elsewhere) {
  const auto* service = child_of(live, kube::kind::service);
  if (!service || service->cluster_ips.empty()) return elsewhere;
  return has_ipv6_address(*service);
}

bool tells_others(const kube::child& live, const std::optional<remembered_rendering>& last) {
  if (live.ready_replicas > 0) return true;
  return !live.cluster_ips.empty() && (!last || has_ipv6_address(live) != last->key.ipv6);
}

rendering_key key_of(const kube::object& external_service, const live_children& live, bool ipv6) {
  // Another's pods serve nothing of ours, whatever they are called.
  const auto* service = own(external_service, live, kube::kind::service);
  const auto* deployment = own(external_service, live, kube::kind::deployment);
  const auto& spec = external_service.as_external_service().spec;
  const auto hijack = desired::next_hijack_label(
      spec.hijack_dns, deployment && deployment->ready_replicas > 0, service ? service->hijack_label : "");
  return {external_service.meta.generation, external_service.meta.uid, std::string{hijack}, ipv6};
}

remembered_rendering remember(kube::object_ptr external_service, rendering_key key,
                              const desired_gateway& desired) {
  remembered_rendering made{std::move(external_service), std::move(key), {}, desired.config_hash};
  for (std::size_t i = 0; i < kube::child_count; ++i)
    if (desired.children[i]) made.projected[i] = desired.children[i]->projected;
  return made;
}

bool nothing_to_do(const kube::object& external_service, const remembered_rendering& last,
                   const live_children& live, bool ipv6,
                   const std::array<std::optional<settled>, kube::child_count>& known) {
  // A server that does not count generations would hide a change of the spec.
  if (last.key.generation <= 0 || last.key != key_of(external_service, live, ipv6)) return false;
  for (const auto kind : kube::child_kinds) {
    const auto i = kube::child_index(kind);
    std::optional<rendered_child> wanted;
    if (last.projected[i]) wanted = rendered_child{kind, {}, *last.projected[i]};
    const auto what = decide(external_service, kind, wanted ? &*wanted : nullptr, live[i].get(), known[i]);
    if (what.what != action::nothing) return false;
  }
  return true;
}

desired_gateway desired_of(const kube::object& external_service, const live_children& live, bool ipv6,
                           const gateway_settings& settings, const kube::projection_rules& rules) {
  return rendered_for(key_of(external_service, live, ipv6), external_service, settings, rules);
}

desired_children made_before(const std::optional<remembered_rendering>& last, const live_children& live,
                             const desired_children& wanted, const gateway_settings& settings,
                             const kube::projection_rules& rules) {
  desired_children made;
  if (!last || !last->of) return made;
  const auto edited = [&](std::size_t i) {
    const auto& then = last->projected[i];
    return live[i] && wanted[i] && then && live[i]->as_child().projected == *then &&
           wanted[i]->projected != *then;
  };
  std::array<bool, kube::child_count> those{};
  for (std::size_t i = 0; i < kube::child_count; ++i) those[i] = edited(i);
  if (std::ranges::none_of(those, std::identity{})) return made;
  auto before = rendered_for(last->key, *last->of, settings, rules).children;
  for (std::size_t i = 0; i < kube::child_count; ++i)
    if (those[i] && before[i] && before[i]->projected == last->projected[i]) made[i] = std::move(before[i]);
  return made;
}

std::optional<refusal> refused(const kube::object& external_service, std::string_view claimed_by,
                               const gateway_settings& settings) {
  if (auto invalid = validate(external_service, settings.profile, settings.cluster_domain)) return invalid;
  if (!claimed_by.empty()) return name_taken(external_service, claimed_by);
  return std::nullopt;
}

}  // namespace egress::reconciler
