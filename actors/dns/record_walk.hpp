#pragma once
// Walks the records of a message, whose names stay as they are. Pure.

#include <optional>

#include "actors/dns/name.hpp"

namespace egress::dns {

struct walked_record {
  std::size_t begin = 0, fixed = 0;  // the owner; type, class, TTL and length
  std::uint16_t type = 0;

  std::size_t ttl() const { return fixed + 4; }
  std::size_t data() const { return fixed + 10; }
};

// RFC 2181, section 8: a TTL with the highest bit set is 0.
constexpr std::uint32_t bounded_ttl(std::uint32_t ttl) {
  return (ttl >> 31) != 0 ? 0 : ttl;
}
inline std::uint32_t read_ttl(const std::uint8_t* from) {
  return bounded_ttl(load32(from));
}

// The record at `at`, which moves behind it; nothing when it is cut.
inline std::optional<walked_record> next_record(bytes message, std::size_t& at) {
  walked_record next{.begin = at};
  const auto fixed = skip_name(message, at);
  if (!fixed || message.size() - *fixed < 10) return std::nullopt;
  next.fixed = *fixed;
  next.type = load16(&message[*fixed]);
  const std::size_t size = load16(&message[*fixed + 8]);
  if (message.size() - *fixed - 10 < size) return std::nullopt;
  at = *fixed + 10 + size;
  return next;
}

}  // namespace egress::dns
