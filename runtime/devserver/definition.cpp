#include "runtime/devserver/definition.hpp"

#include "runtime/devserver/tree.hpp"
#include "runtime/kube/yaml_tree.hpp"

namespace egress::dev {
namespace {

json::object read_definition() {
  const auto documents = kube::read_yaml(definition_text(), "externalservices.yaml");
  // A unit test reads the compiled-in file, so this cannot be another text.
  return documents && documents->size() == 1 && documents->front().root.is_object()
             ? documents->front().root.get_object()
             : json::object{};
}

const json::object& version() {
  static const json::object none;
  const auto* const versions = array_at(external_service_definition(), {"spec", "versions"});
  return versions != nullptr && !versions->empty() && versions->front().is_object()
             ? versions->front().get_object()
             : none;
}

}  // namespace

const json::object& external_service_definition() {
  static const auto read = read_definition();
  return read;
}

const json::object& external_service_schema() {
  static const json::object none;
  const auto* const found = object_at(version(), {"schema", "openAPIV3Schema"});
  return found == nullptr ? none : *found;
}

const json::array& external_service_columns() {
  static const json::array none;
  const auto* const found = array_at(version(), {"additionalPrinterColumns"});
  return found == nullptr ? none : *found;
}

}  // namespace egress::dev
