#pragma once
// Domain names in wire form, lower-cased: labels with a length byte each, and the root's zero byte. Pure.

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "actors/dns/message.hpp"
#include "runtime/base/result.hpp"

namespace egress::dns {

inline constexpr std::size_t max_name_size = 255;

// A whole name in a fixed buffer: no allocation. The bytes behind `size` are unspecified.
struct wire_name {
  std::array<std::uint8_t, max_name_size> data;
  std::uint8_t size = 0;    // with the root's zero byte
  std::uint8_t labels = 0;  // without the root

  bytes view() const { return {data.data(), size}; }
  bool is_root() const { return size == 1; }
};

// ASCII only, as RFC 4343 wants; length bytes (below 64) are no letters, so whole names may be mapped.
inline std::uint8_t to_lower(std::uint8_t c) {
  return static_cast<std::uint8_t>(c - 'A') < 26 ? static_cast<std::uint8_t>(c | 0x20) : c;
}

// Reads "www.example.com" (a trailing dot is allowed) as a host name: letters, digits, '-' and '_'. The error
// says what is wrong with it.
result<wire_name> parse_name(std::string_view text);

// For people: dots between labels, \DDD for what is not printable. "." is the root.
std::string to_text(bytes name);

// The size of the uncompressed name at `at`, its root byte included; nothing when it is cut, longer than 255,
// or holds a pointer or a reserved label type.
std::optional<std::size_t> plain_name_size(bytes message, std::size_t at);
// Where the (perhaps compressed) name at `at` ends; nothing when it is malformed. Pointers are not followed.
std::optional<std::size_t> skip_name(bytes message, std::size_t at);
// Reads the (perhaps compressed) name at `at`, lower-cased; false when it is malformed. Pointers must lead
// backwards, at most 64 of them.
bool expand_name(bytes message, std::size_t at, wire_name& into);

bool same_name(const wire_name& a, const wire_name& b);
// Whether `name` is `ancestor` or below it. Every name is below the root.
bool is_at_or_below(const wire_name& name, const wire_name& ancestor);
bool is_at_or_below(bytes name, const wire_name& ancestor);

}  // namespace egress::dns
