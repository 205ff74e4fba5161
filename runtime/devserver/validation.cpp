#include "runtime/devserver/validation.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "runtime/devserver/tree.hpp"
#include "runtime/kube/json_text.hpp"

namespace egress::dev {
namespace {

bool is_label(std::string_view text) {
  const auto inner = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; };
  return !text.empty() && text.size() <= 63 && text.front() != '-' && text.back() != '-' &&
         std::ranges::all_of(text, inner);
}

// RFC 1123 subdomain.
bool is_subdomain(std::string_view text) {
  if (text.size() > 253) return false;
  for (;;) {
    const auto dot = text.find('.');
    // A label of a subdomain may be longer than 63 here: the API bounds the whole only.
    if (const auto part = text.substr(0, dot); !is_label(part.substr(0, 63))) return false;
    if (dot == std::string_view::npos) return true;
    text.remove_prefix(dot + 1);
  }
}

bool is_service_name(std::string_view text) {
  return is_label(text) && (text.front() < '0' || text.front() > '9');
}

void check_strings(const json::object& metadata, std::string_view member, std::vector<cause>& wrong) {
  const auto* const map = metadata.if_contains(member);
  if (map == nullptr || map->is_null()) return;
  if (!map->is_object()) {
    wrong.push_back(
        {"FieldValueTypeInvalid", "Invalid value: it must be an object", fmt::format("metadata.{}", member)});
    return;
  }
  for (const auto& [name, value] : map->get_object())
    if (!value.is_string())
      wrong.push_back({"FieldValueTypeInvalid",
                       fmt::format("Invalid value: {}: it must be a string", json::to_text(value)),
                       fmt::format("metadata.{}.{}", member, std::string_view{name})});
}

bool selects(const json::object& wanted, const json::object* labels) {
  return std::ranges::all_of(wanted, [labels](const auto& one) {
    const auto* const found = labels == nullptr ? nullptr : labels->if_contains(one.key());
    return found != nullptr && *found == one.value();
  });
}

void check_deployment(const json::object& object, const json::object* old, std::vector<cause>& wrong) {
  const auto* const selector = object_at(object, {"spec", "selector"});
  const auto* const labels = object_at(object, {"spec", "selector", "matchLabels"});
  if (selector == nullptr) {
    wrong.push_back({"FieldValueRequired", "Required value", "spec.selector"});
  } else if (labels != nullptr &&
             !selects(*labels, object_at(object, {"spec", "template", "metadata", "labels"}))) {
    wrong.push_back({"FieldValueInvalid", "Invalid value: `selector` does not match template `labels`",
                     "spec.template.metadata.labels"});
  }
  const auto* const containers = array_at(object, {"spec", "template", "spec", "containers"});
  if (containers == nullptr || containers->empty())
    wrong.push_back({"FieldValueRequired", "Required value", "spec.template.spec.containers"});
  if (number_at(object, {"spec", "replicas"}) < 0)
    wrong.push_back(
        {"FieldValueInvalid", "Invalid value: must be greater than or equal to 0", "spec.replicas"});
  if (old == nullptr || selector == nullptr) return;
  if (const auto* const before = object_at(*old, {"spec", "selector"});
      before != nullptr && *before != *selector)
    wrong.push_back({"FieldValueInvalid",
                     fmt::format("Invalid value: {}: field is immutable", json::to_text(*selector)),
                     "spec.selector"});
}

void check_ports(const json::object& object, std::vector<cause>& wrong) {
  const auto* const ports = array_at(object, {"spec", "ports"});
  const bool none_needed =
      text_at(object, {"spec", "clusterIP"}) == "None" || text_at(object, {"spec", "type"}) == "ExternalName";
  if ((ports == nullptr || ports->empty()) && !none_needed) {
    wrong.push_back({"FieldValueRequired", "Required value", "spec.ports"});
    return;
  }
  for (std::size_t i = 0; ports != nullptr && i < ports->size(); ++i) {
    const auto* const one = (*ports)[i].if_object();
    const auto number = one == nullptr ? 0 : number_at(*one, {"port"});
    if (number < 1 || number > 65535)
      wrong.push_back({"FieldValueInvalid",
                       fmt::format("Invalid value: {}: must be between 1 and 65535, inclusive", number),
                       fmt::format("spec.ports[{}].port", i)});
    if (one != nullptr && ports->size() > 1 && text_at(*one, {"name"}).empty())
      wrong.push_back({"FieldValueRequired", "Required value", fmt::format("spec.ports[{}].name", i)});
  }
}

void check_autoscaler(const json::object& object, std::vector<cause>& wrong) {
  const auto least = number_at(object, {"spec", "minReplicas"}, 1),
             most = number_at(object, {"spec", "maxReplicas"});
  if (most < 1)
    wrong.push_back({"FieldValueInvalid", fmt::format("Invalid value: {}: must be greater than 0", most),
                     "spec.maxReplicas"});
  else if (most < least)
    wrong.push_back({"FieldValueInvalid",
                     fmt::format("Invalid value: {}: must be greater than or equal to `minReplicas`", most),
                     "spec.maxReplicas"});
}

void check_config_map(const json::object& object, const json::object* old, std::vector<cause>& wrong) {
  if (old == nullptr || !flag_at(*old, {"immutable"})) return;
  const auto member = [](const json::object& of, std::string_view name) {
    const auto* const found = of.if_contains(name);
    return found == nullptr ? json::value{} : *found;
  };
  if (!flag_at(object, {"immutable"}))
    wrong.push_back(
        {"FieldValueForbidden", "Forbidden: field is immutable when `immutable` is set", "immutable"});
  for (const auto* const name : {"data", "binaryData"})
    if (member(object, name) != member(*old, name))
      wrong.push_back({"FieldValueForbidden", "Forbidden: field is immutable when `immutable` is set", name});
}

// Of an object without a namespace the Events are in default.
void check_event(const json::object& object, std::vector<cause>& wrong) {
  const auto about = text_at(object, {"involvedObject", "namespace"});
  const auto here = namespace_of(object);
  if (about == here || (about.empty() && here == "default")) return;
  wrong.push_back({"FieldValueInvalid",
                   fmt::format("Invalid value: \"{}\": does not match event.namespace", about),
                   "involvedObject.namespace"});
}

}  // namespace

outcome<void> check_identity(const resource& of, json::object& object, const std::string& name_space,
                             const std::string& name) {
  const auto version = text_at(object, {"apiVersion"}), kind = text_at(object, {"kind"});
  if (of.custom() && kind.empty()) return bad_request("Object 'Kind' is missing");
  if ((!version.empty() && version != of.api_version()) || (!kind.empty() && kind != of.kind))
    return bad_request(fmt::format("{}, Kind={} in the body does not match {}, Kind={} of the request",
                                   version, kind, of.api_version(), of.kind));
  json::object ordered{{"apiVersion", of.api_version()}, {"kind", of.kind}};
  auto& metadata = object_in(object, "metadata");
  if (const auto given = text_at(metadata, {"namespace"});
      of.namespaced && !given.empty() && given != name_space)
    return bad_request(
        "the namespace of the provided object does not match the namespace sent on the request");
  if (const auto given = text_at(metadata, {"name"}); !name.empty() && !given.empty() && given != name)
    return bad_request(
        fmt::format("the name of the object ({}) does not match the name on the URL ({})", given, name));
  if (!name.empty()) metadata["name"] = name;
  if (of.namespaced) metadata["namespace"] = name_space;
  if (!of.namespaced) remove_member(metadata, "namespace");
  // Every object is stored with its kind first, as people read it.
  for (auto& [member, value] : object) ordered.insert_or_assign(member, std::move(value));
  ordered["apiVersion"] = of.api_version();
  ordered["kind"] = of.kind;
  object = std::move(ordered);
  return {};
}

outcome<void> check_metadata(const resource& of, const json::object& object) {
  std::vector<cause> wrong;
  const auto name = name_of(object);
  if (name.empty()) {
    wrong.push_back(
        {"FieldValueRequired", "Required value: name or generateName is required", "metadata.name"});
  } else if (of.plural == "services" && !is_service_name(name)) {
    wrong.push_back(
        {"FieldValueInvalid",
         fmt::format(
             "Invalid value: \"{}\": a DNS-1035 label must consist of lower case alphanumeric "
             "characters or '-', start with an alphabetic character, and end with an alphanumeric character",
             name),
         "metadata.name"});
  } else if (of.plural == "namespaces" ? !is_label(name) : !is_subdomain(name)) {
    wrong.push_back(
        {"FieldValueInvalid",
         fmt::format(
             "Invalid value: \"{}\": a lowercase RFC 1123 subdomain must consist of lower case "
             "alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character",
             name),
         "metadata.name"});
  }
  if (const auto* const metadata = object_at(object, {"metadata"})) {
    check_strings(*metadata, "labels", wrong);
    check_strings(*metadata, "annotations", wrong);
  }
  if (!wrong.empty()) return invalid(of, name, wrong);
  return {};
}

outcome<void> check_spec(const resource& of, const json::object& object, const json::object* old) {
  std::vector<cause> wrong;
  if (of.plural == "deployments") check_deployment(object, old, wrong);
  if (of.plural == "services") check_ports(object, wrong);
  if (of.plural == "horizontalpodautoscalers") check_autoscaler(object, wrong);
  if (of.plural == "events" && old == nullptr) check_event(object, wrong);
  if (of.plural == "configmaps") check_config_map(object, old, wrong);
  if (!wrong.empty()) return invalid(of, name_of(object), wrong);
  return {};
}

}  // namespace egress::dev
