#include "runtime/devserver/deployment_stand_in.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "runtime/devserver/cluster.hpp"
#include "runtime/devserver/tree.hpp"
#include "runtime/kube/json_text.hpp"

namespace egress::dev {
namespace {

constexpr const char* revision_annotation = "deployment.kubernetes.io/revision";

struct counts {
  std::int64_t replicas = 0, updated = 0, ready = 0;
};

json::object condition(const json::object& old, std::string_view type, std::string_view status,
                       std::string_view reason, std::string message, wall_time now) {
  auto since = to_rfc3339(now), updated = since;
  if (const auto* const before = array_at(old, {"status", "conditions"})) {
    for (const auto& one : *before) {
      if (!one.is_object() || text_at(one.get_object(), {"type"}) != type) continue;
      if (text_at(one.get_object(), {"status"}) == status)
        since = text_at(one.get_object(), {"lastTransitionTime"});
      if (text_at(one.get_object(), {"reason"}) == reason)
        updated = text_at(one.get_object(), {"lastUpdateTime"});
    }
  }
  return {{"type", type},
          {"status", status},
          {"lastUpdateTime", updated},
          {"lastTransitionTime", since},
          {"reason", reason},
          {"message", std::move(message)}};
}

json::array conditions(const json::object& deployment, const counts& now_has, wall_time now) {
  const auto name = name_of(deployment);
  // With the default strategy a quarter may be missing, rounded down.
  const bool available = now_has.ready >= now_has.replicas - now_has.replicas / 4;
  const bool complete = now_has.updated == now_has.replicas && now_has.ready == now_has.replicas;
  return {available ? condition(deployment, "Available", "True", "MinimumReplicasAvailable",
                                "Deployment has minimum availability.", now)
                    : condition(deployment, "Available", "False", "MinimumReplicasUnavailable",
                                "Deployment does not have minimum availability.", now),
          complete ? condition(deployment, "Progressing", "True", "NewReplicaSetAvailable",
                               fmt::format("ReplicaSet \"{}\" has successfully progressed.", name), now)
                   : condition(deployment, "Progressing", "True", "ReplicaSetUpdated",
                               fmt::format("ReplicaSet \"{}\" is progressing.", name), now)};
}

json::object status(const json::object& deployment, const counts& now_has, wall_time now) {
  json::object made{{"observedGeneration", number_at(deployment, {"metadata", "generation"})}};
  // Zeros are left out, as the API's own encoding does.
  const auto set = [&made](std::string_view name, std::int64_t count) {
    if (count != 0) made[name] = count;
  };
  set("replicas", now_has.replicas);
  set("updatedReplicas", now_has.updated);
  set("readyReplicas", now_has.ready);
  set("availableReplicas", now_has.ready);
  set("unavailableReplicas", now_has.replicas - now_has.ready);
  made["conditions"] = conditions(deployment, now_has, now);
  return made;
}

void write_status(cluster& on, const object_key& key, const json::object& deployment, const counts& now_has,
                  wall_time now) {
  auto changed = deployment;
  changed["status"] = status(deployment, now_has, now);
  remove_member(object_in(changed, "metadata"), "resourceVersion");
  write_options with;
  with.now = now;
  with.part = subresource::status;
  static_cast<void>(on.replace(kinds::deployments(), key, std::move(changed), with));
}

}  // namespace

void deployment_stand_in::observe(const change& what) {
  if (what.of != &kinds::deployments()) return;
  if (what.what != change_kind::modified) {
    schedule(what.key, std::nullopt);
    all_.erase(what.key);
    dirty_.erase(what.key);
  }
  if (what.what == change_kind::deleted) return;
  const auto generation = number_at(*what.after, {"metadata", "generation"});
  if (number_at(*what.after, {"status", "observedGeneration"}) != generation) dirty_.insert(what.key);
}

std::optional<wall_time> deployment_stand_in::run(wall_time now) {
  for (const auto& key : std::exchange(dirty_, {})) begin(key, now);
  while (!due_.empty() && due_.begin()->first <= now) finish(object_key{due_.begin()->second}, now);
  return due_.empty() ? std::nullopt : std::optional{due_.begin()->first};
}

void deployment_stand_in::schedule(const object_key& key, std::optional<wall_time> when) {
  auto& one = all_[key];
  if (one.ready_at) due_.erase({*one.ready_at, key});
  one.ready_at = when;
  if (when) due_.insert({*when, key});
}

stored deployment_stand_in::mark_revision(const object_key& key, const stored& deployment, wall_time now) {
  auto& one = all_[key];
  const auto* const pods = find(*deployment, {"spec", "template"});
  const auto hash = std::hash<std::string>{}(pods == nullptr ? std::string{} : json::canonical_text(*pods));
  if (one.revision > 0 && hash == one.template_hash) return deployment;
  one.template_hash = hash;
  auto changed = *deployment;
  object_in(object_in(changed, "metadata"), "annotations")[revision_annotation] =
      std::to_string(++one.revision);
  write_options with;
  with.now = now;
  const auto written = on_.replace(kinds::deployments(), key, std::move(changed), with);
  return written ? *written : deployment;
}

void deployment_stand_in::begin(const object_key& key, wall_time now) {
  auto deployment = on_.objects().find(kinds::deployments(), key);
  if (!deployment) return;
  deployment = mark_revision(key, deployment, now);
  const auto replicas = number_at(*deployment, {"spec", "replicas"}, 1);
  // A rolling update keeps the old pods until the new ones are ready.
  const auto ready = most_ready(key, std::min(number_at(*deployment, {"status", "readyReplicas"}), replicas));
  write_status(on_, key, *deployment, {replicas, 0, ready}, now);
  dirty_.erase(key);
  schedule(key, now + delay_);
}

void deployment_stand_in::finish(const object_key& key, wall_time now) {
  schedule(key, std::nullopt);
  const auto deployment = on_.objects().find(kinds::deployments(), key);
  if (!deployment) return;
  const auto replicas = number_at(*deployment, {"spec", "replicas"}, 1);
  write_status(on_, key, *deployment, {replicas, replicas, most_ready(key, replicas)}, now);
}

std::int64_t deployment_stand_in::most_ready(const object_key& key, std::int64_t pods) const {
  const auto limit = limits_.find(key);
  return limit == limits_.end() ? pods : std::min(pods, limit->second);
}

void deployment_stand_in::limit_ready(const object_key& key, std::optional<std::int64_t> most) {
  if (most)
    limits_[key] = *most;
  else
    limits_.erase(key);
  if (on_.objects().find(kinds::deployments(), key)) schedule(key, wall_time::min());
}

}  // namespace egress::dev
