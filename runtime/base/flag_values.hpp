#pragma once
// What a flag's value may be: checks that store into the variable a flag is bound to. Each error says what
// the value must be. The variable outlives the flag. Pure.

#include <chrono>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/base/result.hpp"

namespace egress::flag_values {

using setter = std::function<result<void>(std::string_view)>;
using check = result<void> (*)(std::string_view value);

// Any text that `valid` lets pass.
setter text(std::string& into, check valid = nullptr);
// Go's booleans: 1 0 t f T F true false TRUE FALSE True False.
setter boolean(bool& into);
setter whole(unsigned& into, unsigned least, unsigned most);
setter real(double& into, double least, double most);
// "5s", "5" (seconds), "1m30s", "1h".
setter duration(std::chrono::seconds& into, std::chrono::seconds least, std::chrono::seconds most);
// "64Mi", "65536Ki", "1Gi", "67108864": bytes. 0, or from `least` to `most`.
setter byte_size(std::uint64_t& into, std::uint64_t least, std::uint64_t most);
// Appends; commas separate several. Each item is checked.
setter list(std::vector<std::string>& into, check valid);
// Appends the value as it is: file names may hold commas.
setter repeated(std::vector<std::string>& into, check valid);

template <class T>
setter choice(T& into, std::initializer_list<std::pair<std::string_view, T>> choices) {
  return [&into, all = std::vector(choices)](std::string_view value) -> result<void> {
    std::string names;
    for (const auto& [name, meant] : all) {
      if (name == value) {
        into = meant;
        return {};
      }
      names += fmt::format("{}{}", names.empty() ? "" : " or ", name);
    }
    return fail("must be {}", names);
  };
}

// Checks for text and list.
result<void> not_empty(std::string_view value);
result<void> listen_address(std::string_view value);  // ":PORT", "HOST:PORT", "[IPV6]:PORT"
result<void> dns_server(std::string_view value);   // "IP", "IP:PORT", "tls://IP#NAME", "tls://IP:PORT#NAME"
result<void> dns_forward(std::string_view value);  // "DOMAIN=SERVER,SERVER"
result<void> cidr(std::string_view value);         // "10.0.0.0/8", "fd00::/8"
result<void> namespace_name(std::string_view value);     // RFC 1123 label
result<void> domain_name(std::string_view value);        // "cluster.local", 120 characters at most
result<void> equality_selector(std::string_view value);  // "app=prometheus,tier=infra"

std::optional<std::chrono::seconds> parse_duration(std::string_view text);
std::string to_text(std::chrono::seconds value);  // "90s"
std::optional<std::uint64_t> parse_byte_size(std::string_view text);
std::string byte_size_text(std::uint64_t bytes);  // "64Mi", "1536Ki", "1000"

}  // namespace egress::flag_values
