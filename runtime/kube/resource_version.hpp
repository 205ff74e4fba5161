#pragma once
// The order of resourceVersions of one kind: decimal numbers that grow (KEP-5504). Pure.

#include <charconv>
#include <cstdint>
#include <optional>
#include <string_view>

namespace egress::kube {

// Both are decimal numbers and a < b. What is no number is never older.
inline bool older(std::string_view a, std::string_view b) {
  const auto number = [](std::string_view text) -> std::optional<std::uint64_t> {
    std::uint64_t value = 0;
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (failed != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
  };
  const auto left = number(a), right = number(b);
  return left && right && *left < *right;
}

}  // namespace egress::kube
