#pragma once
// The OPT record of an answer (RFC 6891): our cookie for a client that sent one (RFC 7873), and why the
// answer is as it is (RFC 8914). Pure.

#include <algorithm>
#include <cassert>
#include <cstring>
#include <string_view>

#include "actors/dns/query.hpp"

namespace egress::dns {

// What is said when nothing more is known than the code.
constexpr std::string_view usual_text(ede code) {
  switch (code) {
    case ede::stale:
    case ede::stale_nxdomain:
      return "expired: no upstream has answered since";
    case ede::cached_error:
      return "the upstreams failed a moment ago";
    case ede::not_ready:
      return "the ExternalServices are not known yet";
    case ede::prohibited:
      return "client not in --dns-allow";
    case ede::no_reachable_authority:
      return "no upstream answered";
    default:
      return {};
  }
}

// An extended error. Its text comes in two parts, so that none has to be put together.
struct explanation {
  ede code = ede::none;
  std::string_view text, name;  // "ExternalService ", "google"
  ede besides = ede::none;      // a second one, with its usual text

  explanation(ede why) : code(why), text(usual_text(why)) {}  // NOLINT(google-explicit-constructor)
  explanation(ede why, std::string_view said, std::string_view of = {}) : code(why), text(said), name(of) {}
};

inline constexpr std::size_t opt_fixed_size = 11, option_head = 4, most_explained = 160;

// Of the record without its explanation; 0 when the client sent no EDNS.
inline std::size_t opt_size(const query& asked) {
  if (!asked.has_edns) return 0;
  return opt_fixed_size + (asked.has_answer_cookie ? option_head + asked.answer_cookie.size() : 0);
}

// Where `size` bytes of UTF-8 may end.
inline std::string_view cut_text(std::string_view text, std::size_t size) {
  if (text.size() <= size) return text;
  while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xc0) == 0x80) --size;
  return text.substr(0, size);
}

// Writes an option that explains the answer, and gives its size. The text is cut to what fits, and where not
// even the code does there is nothing.
inline std::size_t write_explanation(const explanation& why, buffer room) {
  const std::size_t fits = std::min(room.size(), most_explained);
  if (fits < option_head + 2) return 0;
  std::size_t at = option_head + 2;
  for (const auto part : {why.text, why.name}) {
    const auto said = cut_text(part, fits - at);
    if (!said.empty()) std::memcpy(&room[at], said.data(), said.size());
    at += said.size();
  }
  store16(&room[0], option::extended_error);
  store16(&room[2], at - option_head);
  store16(&room[4], static_cast<std::uint16_t>(why.code));
  return at;
}

// Writes the record at the begin of `room`, which has opt_size(asked) bytes at least, and gives its size.
inline std::size_t write_opt(const query& asked, rcode code, const explanation& why, buffer room) {
  if (!asked.has_edns) return 0;
  assert(room.size() >= opt_size(asked));
  room[0] = 0;
  store16(&room[1], rr::opt);
  store16(&room[3], edns_udp_size);
  room[5] = static_cast<std::uint8_t>(static_cast<unsigned>(code) >> 4);
  room[6] = 0;
  store16(&room[7], asked.wants_dnssec ? do_bit : 0);
  std::size_t at = opt_fixed_size;
  if (asked.has_answer_cookie) {
    store16(&room[at], option::cookie);
    store16(&room[at + 2], asked.answer_cookie.size());
    std::memcpy(&room[at + option_head], asked.answer_cookie.data(), asked.answer_cookie.size());
    at += option_head + asked.answer_cookie.size();
  }
  if (why.code != ede::none) at += write_explanation(why, room.subspan(at));
  if (why.besides != ede::none) at += write_explanation(why.besides, room.subspan(at));
  store16(&room[9], at - opt_fixed_size);
  return at;
}

}  // namespace egress::dns
