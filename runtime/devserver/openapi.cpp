// OpenAPI v3 as kubectl reads it: `explain` wants the schema of ExternalService; apply, create and edit want
// to know that the server itself checks fields (the fieldValidation parameter). Built-in kinds get no schema
// of their fields: kubectl has their types compiled in.

#include <fmt/format.h>

#include <set>

#include "runtime/devserver/definition.hpp"
#include "runtime/devserver/discovery.hpp"
#include "runtime/devserver/tree.hpp"

namespace egress::dev {
namespace {

std::string document_path(const resource& of) {
  return of.group.empty() ? fmt::format("api/{}", of.version)
                          : fmt::format("apis/{}/{}", of.group, of.version);
}

// Groups are reversed, as in Go packages: com.monzo.egress.v1.ExternalService.
std::string schema_name(const resource& of) {
  std::string reversed;
  for (std::string_view rest = of.group; !rest.empty();) {
    const auto dot = rest.find('.');
    reversed = std::string{rest.substr(0, dot)} + (reversed.empty() ? "" : ".") + reversed;
    rest.remove_prefix(dot == std::string_view::npos ? rest.size() : dot + 1);
  }
  return fmt::format("{}.{}.{}", reversed.empty() ? "core" : reversed, of.version, of.kind);
}

json::object kind_entry(const resource& of) {
  return {{"group", of.group}, {"version", of.version}, {"kind", of.kind}};
}

constexpr std::string_view metadata_schema = "meta.v1.ObjectMeta";

json::object reference(std::string_view schema) {
  return {{"$ref", fmt::format("#/components/schemas/{}", schema)}};
}

// x-kubernetes-validations are the server's business; a description of metadata makes `explain` complete.
json::object schema_of(const resource& of) {
  json::object made{{"type", "object"}, {"x-kubernetes-group-version-kind", json::array{kind_entry(of)}}};
  if (of.custom()) {
    for (const auto& [name, value] : external_service_schema())
      if (name != "x-kubernetes-validations") made[name] = value;
  } else {
    made["description"] =
        fmt::format("{}, served by the embedded API server without a schema of its fields.", of.kind);
    made["properties"] = json::object{{"apiVersion", {{"type", "string"}}}, {"kind", {{"type", "string"}}}};
    for (const auto* const part : {"spec", "status", "data"})
      made["properties"].as_object()[part] =
          json::object{{"type", "object"}, {"x-kubernetes-preserve-unknown-fields", true}};
  }
  made["properties"].as_object()["metadata"] =
      json::object{{"description", "Standard object's metadata."},
                   {"allOf", json::array{reference(metadata_schema)}},
                   {"default", json::object{}}};
  return made;
}

json::object metadata_of() {
  const json::object text{{"type", "string"}};
  const json::object texts{{"type", "object"}, {"additionalProperties", text}};
  return {{"type", "object"},
          {"description", "Metadata that every object has."},
          {"properties",
           {{"name", text},
            {"namespace", text},
            {"labels", texts},
            {"annotations", texts},
            {"uid", text},
            {"resourceVersion", text},
            {"creationTimestamp", text},
            {"generation", {{"type", "integer"}}}}}};
}

json::object parameter(std::string_view name) {
  return {{"name", name}, {"in", "query"}, {"schema", {{"type", "string"}, {"uniqueItems", true}}}};
}

json::object operation(const resource& of, std::string_view action, bool writes) {
  json::object made{{"x-kubernetes-action", action}, {"x-kubernetes-group-version-kind", kind_entry(of)}};
  json::object content{{"application/json", {{"schema", reference(schema_name(of))}}}};
  made["responses"] = json::object{{"200", {{"description", "OK"}, {"content", std::move(content)}}}};
  if (writes)
    made["parameters"] =
        json::array{parameter("dryRun"), parameter("fieldManager"), parameter("fieldValidation")};
  return made;
}

// No strategic merge patch here: with it kubectl would look for the merge keys in schemas that say nothing of
// them, instead of its own types.
json::object patch_operation(const resource& of) {
  auto made = operation(of, "patch", true);
  const json::object any{{"schema", {{"type", "object"}}}};
  made["requestBody"] = json::object{
      {"content", {{"application/json-patch+json", any}, {"application/merge-patch+json", any}}}};
  return made;
}

void add_paths(const resource& of, json::object& to) {
  const auto base =
      fmt::format("/{}/{}{}", document_path(of), of.namespaced ? "namespaces/{namespace}/" : "", of.plural);
  const bool writable = of.allowed == access::full;
  json::object collection{{"get", operation(of, "list", false)}};
  json::object one{{"get", operation(of, "get", false)}};
  if (writable) {
    collection["post"] = operation(of, "post", true);
    one["put"] = operation(of, "put", true);
    one["patch"] = patch_operation(of);
    one["delete"] = operation(of, "delete", true);
  }
  to[base] = std::move(collection);
  to[base + "/{name}"] = std::move(one);
  if (of.namespaced)
    to[fmt::format("/{}/{}", document_path(of), of.plural)] =
        json::object{{"get", operation(of, "list", false)}};
}

}  // namespace

json::object openapi_index(const served_filter& served) {
  json::object paths;
  for (const auto& one : all_resources())
    if (served(one))
      paths[document_path(one)] =
          json::object{{"serverRelativeURL", fmt::format("/openapi/v3/{}", document_path(one))}};
  return {{"paths", std::move(paths)}};
}

std::optional<json::object> openapi_document(std::string_view group, std::string_view version,
                                             const served_filter& served) {
  json::object paths, schemas{{metadata_schema, metadata_of()}};
  for (const auto& one : all_resources()) {
    if (one.group != group || one.version != version || !served(one)) continue;
    add_paths(one, paths);
    schemas[schema_name(one)] = schema_of(one);
  }
  if (paths.empty()) return std::nullopt;
  return json::object{{"openapi", "3.0.0"},
                      {"info", {{"title", "Kubernetes"}, {"version", "v1.34.0"}}},
                      {"paths", std::move(paths)},
                      {"components", {{"schemas", std::move(schemas)}}}};
}

}  // namespace egress::dev
