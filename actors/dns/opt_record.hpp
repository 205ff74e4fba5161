#pragma once
// The OPT record of an answer that is copied from somewhere else (RFC 6891), and why the answer is as it is
// (RFC 8914). Pure.

#include "actors/dns/query.hpp"

namespace egress::dns {

inline constexpr std::size_t opt_fixed_size = 11, option_head = 4;

// Of the record without its explanation; 0 when the client sent no EDNS.
inline std::size_t opt_size(const query& asked) {
  return asked.has_edns ? opt_fixed_size : 0;
}

// Writes the record at the begin of `room`, which has opt_size(asked) bytes at least, and gives its size.
// What explains the answer is left out when there is no room for it.
inline std::size_t write_opt(const query& asked, rcode code, ede why, buffer room) {
  if (!asked.has_edns) return 0;
  constexpr std::size_t explained = option_head + 2;
  const bool explains = why != ede::none && room.size() >= opt_fixed_size + explained;
  room[0] = 0;
  store16(&room[1], rr::opt);
  store16(&room[3], edns_udp_size);
  room[5] = static_cast<std::uint8_t>(static_cast<unsigned>(code) >> 4);
  room[6] = 0;
  store16(&room[7], asked.wants_dnssec ? do_bit : 0);
  store16(&room[9], explains ? explained : 0);
  if (!explains) return opt_fixed_size;
  store16(&room[11], 15);
  store16(&room[13], 2);
  store16(&room[15], static_cast<std::uint16_t>(why));
  return opt_fixed_size + explained;
}

}  // namespace egress::dns
