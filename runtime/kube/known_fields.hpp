#pragma once
// The fields of an ExternalService, for manifests: a server drops one that it does not know, or
// kubectl refuses it; whoever judges a file before that must not call it accepted. Pure.

#include <optional>
#include <string>
#include <vector>

#include "runtime/kube/json.hpp"

namespace egress::kube {

// Of the first one that the definition does not have, "spec.hijackDNS: no such field; did you mean
// hijackDns?". `object` is the whole ExternalService.
std::optional<std::string> unknown_field(const json::object& object);

// All that are known, "spec.ports.port" for those of each port.
std::vector<std::string> known_fields();

}  // namespace egress::kube
