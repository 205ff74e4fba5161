#pragma once
// Types and rcodes as people write them: in metrics and the query log. Pure.

#include <fmt/format.h>

#include <array>
#include <cstdint>
#include <string>

#include "actors/dns/counters.hpp"

namespace egress::dns {

// "AAAA"; those without a name are "TYPE999" (RFC 3597).
inline std::string type_text(std::uint16_t type) {
  const auto known = type_bucket(type);
  return known < counted_types.size() ? counted_type_names[known] : fmt::format("TYPE{}", type);
}

// As CoreDNS names them; those without a name are "RCODE17".
inline std::string rcode_text(std::size_t code) {
  constexpr std::array<const char*, 11> names{"NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN",
                                              "NOTIMP",  "REFUSED", "YXDOMAIN", "YXRRSET",
                                              "NXRRSET", "NOTAUTH", "NOTZONE"};
  if (code < names.size()) return names[code];
  return code == 16 ? "BADVERS" : fmt::format("RCODE{}", code);
}

}  // namespace egress::dns
