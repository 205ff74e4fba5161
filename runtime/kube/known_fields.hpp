#pragma once
// The fields of an ExternalService's spec, for manifests: a server drops one that it does not know, or
// kubectl refuses it; whoever judges a file before that must not call it accepted. Pure.

#include <optional>
#include <string>

#include "runtime/kube/json.hpp"

namespace egress::kube {

// Of the first one that the definition does not have, "spec.hijackDNS: no such field; did you mean
// hijackDns?". `object` is the whole ExternalService.
std::optional<std::string> unknown_field(const json::object& object);

}  // namespace egress::kube
