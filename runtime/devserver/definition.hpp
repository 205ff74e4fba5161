#pragma once
// The CustomResourceDefinition of ExternalService as the embedded server has it: the file that clusters get
// (deploy/crd/externalservices.yaml), compiled in, so that the two cannot differ. Pure.

#include <string_view>

#include "runtime/kube/json.hpp"

namespace egress::dev {

// The text of the file.
std::string_view definition_text();
// The whole object, without status and system fields.
const json::object& external_service_definition();
// spec.versions[0].schema.openAPIV3Schema.
const json::object& external_service_schema();
// spec.versions[0].additionalPrinterColumns.
const json::array& external_service_columns();

}  // namespace egress::dev
