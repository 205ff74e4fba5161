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
  if (what.of == &kinds::deployments() && what.what != change_kind::deleted) {
    if (const auto by = scaled_by_.find(what.key); by != scaled_by_.end())
      dirty_.insert(by->second.begin(), by->second.end());
  }
  if (what.of != &kinds::autoscalers()) return;
  if (what.before) {
    const auto was = target_of(*what.before);
    auto& others = scaled_by_[was];
    others.erase(what.key);
    if (others.empty()) scaled_by_.erase(was);
  }
  if (what.what == change_kind::deleted) return;
  scaled_by_[target_of(*what.after)].insert(what.key);
  dirty_.insert(what.key);
}

void autoscaler_bounds::run(wall_time now) {
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
