#pragma once
// A JSON tree as YAML text, laid out as Go's sigs.k8s.io/yaml does: keys sorted, sequences flush with their
// key, empty containers inline. Lines are never folded. Pure.

#include <cstdint>
#include <string>

#include "runtime/kube/json.hpp"

namespace egress::yaml {

// Appends the document, newline at the end. Strings must be UTF-8, as Boost.JSON's parser guarantees.
void append_document(std::string& out, const json::object& root);
std::string to_text(const json::object& root);

struct hashed_text {
  std::string text;
  std::uint32_t hash = 0;  // FNV-1a
};
// For less than the text and then its hash.
hashed_text to_hashed_text(const json::object& root);

}  // namespace egress::yaml
