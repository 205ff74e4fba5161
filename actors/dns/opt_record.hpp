#pragma once
// The OPT record of an answer that is copied from somewhere else (RFC 6891). Pure.

#include <cstring>

#include "actors/dns/query.hpp"

namespace egress::dns {

// The most that append_opt adds.
inline constexpr std::size_t opt_room = 17;

// Writes the client's OPT, with an extended error when there is one to give, at `at` of `message`, which has
// opt_room bytes there; counts it in the header. Nothing when the client sent none. Gives the new size.
inline std::size_t append_opt(const query& asked, ede why, buffer message, std::size_t at) {
  if (!asked.has_edns) return at;
  const bool explained = why != ede::none;
  std::uint8_t* opt = &message[at];
  opt[0] = 0;
  store16(opt + 1, rr::opt);
  store16(opt + 3, edns_udp_size);
  store32(opt + 5, asked.wants_dnssec ? do_bit : 0);
  store16(opt + 9, explained ? 6 : 0);
  if (explained) {
    store16(opt + 11, 15);
    store16(opt + 13, 2);
    store16(opt + 15, static_cast<std::uint16_t>(why));
  }
  store16(&message[10], load16(&message[10]) + 1u);
  return at + (explained ? 17 : 11);
}

// How much append_opt will add.
inline std::size_t opt_size(const query& asked, ede why) {
  return !asked.has_edns ? 0 : why == ede::none ? 11 : 17;
}

}  // namespace egress::dns
