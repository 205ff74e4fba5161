#include "runtime/kube/encode.hpp"

#include "runtime/kube/json_text.hpp"
#include "runtime/kube/kind.hpp"
#include "runtime/kube/status_error.hpp"

namespace egress::kube {
namespace {

constexpr std::size_t longest_message = 1024;

json::object to_json(const condition& from) {
  json::object out{{"type", from.type},
                   {"status", from.status},
                   {"reason", from.reason},
                   {"message", from.message},
                   {"lastTransitionTime", from.last_transition_time}};
  if (from.observed_generation != 0) out.emplace("observedGeneration", from.observed_generation);
  return out;
}

json::value text_or_null(const std::string& text) {
  return text.empty() ? json::value(nullptr) : json::value(text);
}

}  // namespace

json::object to_json(const external_service_status& status) {
  json::array conditions;
  conditions.reserve(status.conditions.size());
  for (const auto& one : status.conditions) conditions.push_back(to_json(one));
  json::object out{{"observedGeneration", status.observed_generation},
                   {"conditions", std::move(conditions)},
                   {"readyReplicas", status.ready_replicas}};
  if (!status.cluster_ip.empty()) out.emplace("clusterIP", status.cluster_ip);
  if (!status.config_hash.empty()) out.emplace("configHash", status.config_hash);
  if (!status.ports.empty()) out.emplace("ports", status.ports);
  return out;
}

std::string status_patch(const external_service_status& status, std::string_view resource_version) {
  auto body = to_json(status);
  body.insert_or_assign("clusterIP", text_or_null(status.cluster_ip));
  body.insert_or_assign("configHash", text_or_null(status.config_hash));
  body.insert_or_assign("ports", text_or_null(status.ports));
  json::object out;
  if (!resource_version.empty()) out.emplace("metadata", json::object{{"resourceVersion", resource_version}});
  out.emplace("status", std::move(body));
  return json::to_text(out);
}

std::string delete_options(std::string_view uid, std::string_view resource_version) {
  json::object preconditions;
  if (!uid.empty()) preconditions.emplace("uid", uid);
  if (!resource_version.empty()) preconditions.emplace("resourceVersion", resource_version);
  json::object out{{"apiVersion", "v1"}, {"kind", "DeleteOptions"}, {"propagationPolicy", "Background"}};
  if (!preconditions.empty()) out.emplace("preconditions", std::move(preconditions));
  return json::to_text(out);
}

std::string encode_event(const event_record& event) {
  const auto& about = info(kind::external_service);
  json::object object{{"apiVersion", about.api_version}, {"kind", about.name}, {"name", event.object_name}};
  if (!event.object_uid.empty()) object.emplace("uid", event.object_uid);
  if (!event.object_resource_version.empty())
    object.emplace("resourceVersion", event.object_resource_version);
  return json::to_text(
      json::object{{"apiVersion", "v1"},
                   {"kind", "Event"},
                   {"metadata", json::object{{"name", event.name}, {"namespace", event_namespace}}},
                   {"involvedObject", std::move(object)},
                   {"type", event.warning ? "Warning" : "Normal"},
                   {"reason", event.reason},
                   {"message", one_line(event.message, longest_message)},
                   {"source", json::object{{"component", "egress-operator"}}},
                   {"firstTimestamp", to_rfc3339(event.first_seen)},
                   {"lastTimestamp", to_rfc3339(event.last_seen)},
                   {"count", event.count}});
}

std::string event_patch(const event_record& event) {
  return json::to_text(json::object{{"count", event.count},
                                    {"lastTimestamp", to_rfc3339(event.last_seen)},
                                    {"message", one_line(event.message, longest_message)}});
}

}  // namespace egress::kube
