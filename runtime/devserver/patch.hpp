#pragma once
// The three patches of the Kubernetes API, each from a document to the patched one. Pure.

#include "runtime/devserver/refusal.hpp"

namespace egress::dev {

enum class patch_kind : std::uint8_t { merge, json, strategic };

// RFC 7386.
json::value merge_patched(json::value base, const json::value& patch);

// RFC 6902. An error says which operation fails and why.
std::expected<json::value, std::string> json_patched(json::value base, const json::value& operations);

// As kubectl sends it for built-in kinds: lists merge by the key that their items have in the API (containers
// by name, their ports by containerPort, a Service's ports by port, ...), and $patch, $retainKeys,
// $deleteFromPrimitiveList and $setElementOrder direct it.
json::object strategic_patched(json::object base, const json::object& patch);

}  // namespace egress::dev
