#pragma once
// Where JSON text changes from string to structure and back. For who cuts JSON while it streams in, where a
// step for each byte is a third of what a long list costs. Pure.

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace egress::json {

namespace detail {

// The high bit of the lowest byte of `word` that is zero, and maybe of bytes above it.
constexpr std::uint64_t zero_bytes(std::uint64_t word) {
  return (word - 0x0101010101010101U) & ~word & 0x8080808080808080U;
}

constexpr std::uint64_t eight_times(char c) {
  return 0x0101010101010101U * static_cast<unsigned char>(c);
}

inline constexpr auto structural = [] {
  std::array<bool, 256> made{};
  for (const unsigned char c : {'"', '{', '}', '[', ']'}) made[c] = true;
  return made;
}();

}  // namespace detail

// Within a string: the position, from `at` on, of the quote or the backslash that comes first, else the end.
inline std::size_t string_mark(std::string_view bytes, std::size_t at) {
  for (; bytes.size() - at >= sizeof(std::uint64_t); at += sizeof(std::uint64_t)) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data() + at, sizeof word);
    if constexpr (std::endian::native == std::endian::big) word = std::byteswap(word);
    const auto found = detail::zero_bytes(word ^ detail::eight_times('"')) |
                       detail::zero_bytes(word ^ detail::eight_times('\\'));
    if (found != 0) return at + (static_cast<std::size_t>(std::countr_zero(found)) / 8);
  }
  while (at < bytes.size() && bytes[at] != '"' && bytes[at] != '\\') ++at;
  return at;
}

// Outside of strings: the position, from `at` on, of the quote, brace or bracket that comes first, else the
// end.
inline std::size_t structure_mark(std::string_view bytes, std::size_t at) {
  while (at < bytes.size() && !detail::structural[static_cast<unsigned char>(bytes[at])]) ++at;
  return at;
}

}  // namespace egress::json
