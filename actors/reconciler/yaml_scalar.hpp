#pragma once
// How Go's YAML library (sigs.k8s.io/yaml over yaml.v2) writes a string: the rules that an envoy.yaml must
// follow byte for byte to be the one that a running gateway already has. Pure.

#include <string>
#include <string_view>

namespace egress::yaml {

enum class scalar_style : std::uint8_t { plain, single_quoted, double_quoted, literal };

// Would a YAML 1.1 reader take the plain text for something other than a string: null, a boolean, a number, a
// date, a base-60 number?
bool reads_as_another_type(std::string_view text);

// The style for a string in block context. Text must be UTF-8.
scalar_style style_of(std::string_view text);

// Appends text in its style. A literal ("|") needs the indentation of its lines in spaces; nothing follows
// the last line. Lines are never folded.
void append_string(std::string& out, std::string_view text, std::size_t indent);

}  // namespace egress::yaml
