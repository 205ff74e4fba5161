#include "runtime/devserver/scale.hpp"

#include "runtime/devserver/tree.hpp"

namespace egress::dev {

json::object scale_of(const json::object& deployment) {
  json::object metadata;
  for (const auto* const name : {"name", "namespace", "uid", "resourceVersion", "creationTimestamp"})
    if (const auto* const value = find(deployment, {"metadata", name})) metadata[name] = *value;
  std::string selector;
  if (const auto* const labels = object_at(deployment, {"spec", "selector", "matchLabels"}))
    for (const auto& [name, value] : *labels)
      selector += (selector.empty() ? "" : ",") + std::string{name} + "=" +
                  (value.is_string() ? std::string{value.get_string()} : "");
  return {{"kind", "Scale"},
          {"apiVersion", "autoscaling/v1"},
          {"metadata", std::move(metadata)},
          {"spec", {{"replicas", number_at(deployment, {"spec", "replicas"})}}},
          {"status", {{"replicas", number_at(deployment, {"status", "replicas"})}, {"selector", selector}}}};
}

outcome<json::object> with_scale(const json::object& deployment, const json::object& scale) {
  auto changed = deployment;
  auto& metadata = object_in(changed, "metadata");
  remove_member(metadata, "resourceVersion");
  for (const auto* const name : {"uid", "resourceVersion"})
    if (const auto text = text_at(scale, {"metadata", name}); !text.empty()) metadata[name] = text;
  const auto* const replicas = find(scale, {"spec", "replicas"});
  if (replicas != nullptr && !replicas->is_int64()) return bad_request("spec.replicas must be a number");
  object_in(changed, "spec")["replicas"] = replicas == nullptr ? 0 : replicas->get_int64();
  return changed;
}

}  // namespace egress::dev
