#include "runtime/devserver/autoscaler_bounds.hpp"

#include <algorithm>

#include "runtime/devserver/cluster.hpp"
#include "runtime/devserver/tree.hpp"

namespace egress::dev {
namespace {

// The object that the autoscaler scales; an empty name for what is no Deployment.
object_key target_of(const json::object& autoscaler) {
  if (text_at(autoscaler, {"spec", "scaleTargetRef", "kind"}) != "Deployment") return {};
  return {namespace_of(autoscaler), std::string{text_at(autoscaler, {"spec", "scaleTargetRef", "name"})}};
}

std::int64_t bounded(std::int64_t replicas, const json::object& autoscaler) {
  if (replicas == 0) return 0;
  const auto least = std::max<std::int64_t>(number_at(autoscaler, {"spec", "minReplicas"}, 1), 1);
  const auto most = std::max(number_at(autoscaler, {"spec", "maxReplicas"}, least), least);
  return std::clamp(replicas, least, most);
}

}  // namespace

void autoscaler_bounds::observe(const change& what) {
  if (what.of == &kinds::autoscalers() && what.what != change_kind::deleted) dirty_.insert(what.key);
  if (what.of == &kinds::deployments() && what.what != change_kind::deleted)
    changed_targets_.insert(what.key);
}

void autoscaler_bounds::run(wall_time now) {
  // An autoscaler has its Deployment's name nearly always; others are found by looking at all of the
  // namespace.
  for (const auto& target : std::exchange(changed_targets_, {})) {
    const auto same = on_.objects().find(kinds::autoscalers(), target);
    if (same && target_of(*same) == target) {
      dirty_.insert(target);
      continue;
    }
    for (const auto& one : on_.objects().list(kinds::autoscalers(), target.name_space))
      if (target_of(*one) == target) dirty_.insert({namespace_of(*one), name_of(*one)});
  }
  for (const auto& key : std::exchange(dirty_, {})) step(key, now);
}

void autoscaler_bounds::step(const object_key& key, wall_time now) {
  const auto autoscaler = on_.objects().find(kinds::autoscalers(), key);
  if (!autoscaler) return;
  const auto target = target_of(*autoscaler);
  const auto deployment = on_.objects().find(kinds::deployments(), target);
  if (!deployment) return;
  const auto replicas = number_at(*deployment, {"spec", "replicas"}, 1);
  const auto wanted = bounded(replicas, *autoscaler);
  write_options with;
  with.now = now;
  if (wanted != replicas) {
    auto changed = *deployment;
    object_in(changed, "spec")["replicas"] = wanted;
    static_cast<void>(on_.replace(kinds::deployments(), target, std::move(changed), with));
  }
  auto changed = *autoscaler;
  changed["status"] = json::object{{"currentReplicas", number_at(*deployment, {"status", "replicas"})},
                                   {"desiredReplicas", wanted}};
  with.part = subresource::status;
  static_cast<void>(on_.replace(kinds::autoscalers(), key, std::move(changed), with));
}

}  // namespace egress::dev
