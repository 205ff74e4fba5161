#include "runtime/devserver/columns.hpp"

#include <fmt/format.h>

#include <map>

#include "runtime/devserver/age.hpp"
#include "runtime/devserver/definition.hpp"
#include "runtime/devserver/json_path.hpp"
#include "runtime/devserver/tree.hpp"

namespace egress::dev {
namespace {

using columns = std::vector<column>;

std::string or_none(std::string text) {
  return text.empty() ? "<none>" : text;
}

column text_column(std::string name, std::function<std::string(const json::object&)> text, int priority = 0) {
  return {std::move(name),
          "string",
          "",
          priority,
          "",
          [text = std::move(text)](const json::object& of, wall_time) { return json::value(text(of)); }};
}

column number_column(std::string name, std::vector<std::string> at) {
  return {std::move(name), "integer", "", 0, "", [at = std::move(at)](const json::object& of, wall_time) {
            const auto* const in = object_at(of, {at[0]});
            return json::value(in == nullptr ? 0 : number_at(*in, {at[1]}));
          }};
}

column name_column() {
  auto made = text_column("Name", name_of);
  made.format = "name";
  made.description = "Name must be unique within a namespace.";
  return made;
}

column age_column() {
  return {"Age", "string", "", 0, "", [](const json::object& of, wall_time now) {
            return json::value(age_of(text_at(of, {"metadata", "creationTimestamp"}), now));
          }};
}

std::string joined(const json::object* labels) {
  std::string all;
  if (labels != nullptr)
    for (const auto& [name, value] : *labels)
      all += fmt::format("{}{}={}", all.empty() ? "" : ",", std::string_view{name},
                         value.is_string() ? std::string_view{value.get_string()} : std::string_view{});
  return or_none(all);
}

std::string service_ports(const json::object& of) {
  std::string all;
  if (const auto* const ports = array_at(of, {"spec", "ports"}))
    for (const auto& one : *ports)
      if (one.is_object())
        all += fmt::format("{}{}/{}", all.empty() ? "" : ",", number_at(one.get_object(), {"port"}),
                           text_at(one.get_object(), {"protocol"}));
  return or_none(all);
}

std::string containers(const json::object& of, std::string_view member) {
  std::string all;
  if (const auto* const list = array_at(of, {"spec", "template", "spec", "containers"}))
    for (const auto& one : *list)
      if (one.is_object()) all += (all.empty() ? "" : ",") + std::string{text_at(one.get_object(), {member})};
  return all;
}

std::string scale_target(const json::object& of) {
  return fmt::format("{}/{}", text_at(of, {"spec", "scaleTargetRef", "kind"}),
                     text_at(of, {"spec", "scaleTargetRef", "name"}));
}

std::string scalar_text(const json::object& of, path to, std::string_view otherwise) {
  const auto* const found = find(of, to);
  if (found == nullptr) return std::string{otherwise};
  if (found->is_string()) return std::string{found->get_string()};
  return found->is_int64() ? std::to_string(found->get_int64()) : std::string{otherwise};
}

std::string cpu_target(const json::object& of) {
  if (find(of, {"spec", "targetCPUUtilizationPercentage"}) == nullptr) return "<none>";
  return fmt::format("cpu: <unknown>/{}%", number_at(of, {"spec", "targetCPUUtilizationPercentage"}));
}

columns deployment_columns() {
  return {
      name_column(),
      text_column("Ready",
                  [](const json::object& of) {
                    return fmt::format("{}/{}", number_at(of, {"status", "readyReplicas"}),
                                       number_at(of, {"spec", "replicas"}));
                  }),
      number_column("Up-to-date", {"status", "updatedReplicas"}),
      number_column("Available", {"status", "availableReplicas"}),
      age_column(),
      text_column(
          "Containers", [](const json::object& of) { return containers(of, "name"); }, 1),
      text_column(
          "Images", [](const json::object& of) { return containers(of, "image"); }, 1),
      text_column(
          "Selector",
          [](const json::object& of) { return joined(object_at(of, {"spec", "selector", "matchLabels"})); },
          1)};
}

columns service_columns() {
  return {
      name_column(),
      text_column("Type", [](const json::object& of) { return std::string{text_at(of, {"spec", "type"})}; }),
      text_column(
          "Cluster-IP",
          [](const json::object& of) { return or_none(std::string{text_at(of, {"spec", "clusterIP"})}); }),
      text_column(
          "External-IP",
          [](const json::object& of) { return or_none(std::string{text_at(of, {"spec", "externalName"})}); }),
      text_column("Port(s)", service_ports),
      age_column(),
      text_column(
          "Selector", [](const json::object& of) { return joined(object_at(of, {"spec", "selector"})); }, 1)};
}

columns autoscaler_columns() {
  return {
      name_column(),
      text_column("Reference", scale_target),
      text_column("Targets", cpu_target),
      text_column("MinPods",
                  [](const json::object& of) { return scalar_text(of, {"spec", "minReplicas"}, "<unset>"); }),
      number_column("MaxPods", {"spec", "maxReplicas"}),
      number_column("Replicas", {"status", "currentReplicas"}),
      age_column()};
}

columns budget_columns() {
  return {
      name_column(),
      text_column("Min Available",
                  [](const json::object& of) { return scalar_text(of, {"spec", "minAvailable"}, "N/A"); }),
      text_column("Max Unavailable",
                  [](const json::object& of) { return scalar_text(of, {"spec", "maxUnavailable"}, "N/A"); }),
      number_column("Allowed Disruptions", {"status", "disruptionsAllowed"}), age_column()};
}

columns event_columns() {
  const auto last_seen = [](const json::object& of, wall_time now) {
    for (const auto* const member : {"lastTimestamp", "eventTime", "firstTimestamp"})
      if (const auto when = text_at(of, {member}); !when.empty()) return json::value(age_of(when, now));
    return json::value(age_of(text_at(of, {"metadata", "creationTimestamp"}), now));
  };
  const auto about = [](const json::object& of) {
    std::string kind{text_at(of, {"involvedObject", "kind"})};
    for (auto& c : kind) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    return fmt::format("{}/{}", kind, text_at(of, {"involvedObject", "name"}));
  };
  return {
      {"Last Seen", "string", "", 0, "", last_seen},
      text_column("Type", [](const json::object& of) { return std::string{text_at(of, {"type"})}; }),
      text_column("Reason", [](const json::object& of) { return std::string{text_at(of, {"reason"})}; }),
      text_column("Object", about),
      text_column("Message", [](const json::object& of) { return std::string{text_at(of, {"message"})}; })};
}

// From the definition, as the real server makes them.
columns custom_columns() {
  columns made{name_column()};
  for (const auto& item : external_service_columns()) {
    if (!item.is_object()) continue;
    const auto& one = item.get_object();
    const std::string type{text_at(one, {"type"})}, where{text_at(one, {"jsonPath"})};
    made.push_back(
        {std::string{text_at(one, {"name"})}, type, "", static_cast<int>(number_at(one, {"priority"})),
         std::string{text_at(one, {"description"})}, [type, where](const json::object& of, wall_time now) {
           const auto found = json_path_first(of, where);
           if (type == "date" && found.is_string()) return json::value(age_of(found.as_string(), now));
           return found;
         }});
  }
  return made;
}

std::map<std::string_view, columns> make_all() {
  std::map<std::string_view, columns> all;
  all["configmaps"] = {name_column(),
                       {"Data", "integer", "", 0, "",
                        [](const json::object& of, wall_time) {
                          const auto* const data = object_at(of, {"data"});
                          return json::value(data == nullptr ? 0 : data->size());
                        }},
                       age_column()};
  all["customresourcedefinitions"] = {name_column(), text_column("Created At", [](const json::object& of) {
                                        return std::string{text_at(of, {"metadata", "creationTimestamp"})};
                                      })};
  all["deployments"] = deployment_columns();
  all["events"] = event_columns();
  all["externalservices"] = custom_columns();
  all["horizontalpodautoscalers"] = autoscaler_columns();
  all["leases"] = {name_column(),
                   text_column("Holder",
                               [](const json::object& of) {
                                 return std::string{text_at(of, {"spec", "holderIdentity"})};
                               }),
                   age_column()};
  all["namespaces"] = {
      name_column(),
      text_column("Status",
                  [](const json::object& of) { return std::string{text_at(of, {"status", "phase"})}; }),
      age_column()};
  all["networkpolicies"] = {
      name_column(),
      text_column("Pod-Selector",
                  [](const json::object& of) {
                    return joined(object_at(of, {"spec", "podSelector", "matchLabels"}));
                  }),
      age_column()};
  all["poddisruptionbudgets"] = budget_columns();
  all["services"] = service_columns();
  return all;
}

}  // namespace

const std::vector<column>& columns_of(const resource& of) {
  static const auto all = make_all();
  static const columns others{name_column(), age_column()};
  const auto found = all.find(of.plural);
  return found == all.end() ? others : found->second;
}

}  // namespace egress::dev
