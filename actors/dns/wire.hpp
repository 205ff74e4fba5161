#pragma once
// What is done with ldns, off the hot path: taking messages apart, with their names decompressed, for
// message_writer to put them together again. The only home of ldns. Pure.

#include <vector>

#include "actors/dns/name.hpp"

namespace egress::dns {

// A reply whose answers all belong to its question's name.
struct re_owned_reply {
  std::vector<std::uint8_t> message;
  std::size_t answers = 0;
  bool changed = false;  // its answers are not the ones that came: some had another owner, or are gone
};

// The reply without its aliases: of the answers only those of the question's own type stay, re-owned to the
// question's name; authority and additional section go, and all flags but QR and TC. What an alias led to
// lives no longer than the alias, of which `max_ttl` is the most. Nothing when the reply is malformed.
std::optional<re_owned_reply> re_own(bytes reply, std::uint32_t max_ttl);

// Which records of each section stay, in their order; OPT and TSIG do not count.
struct kept_records {
  std::vector<bool> answer, authority, additional;
};
// The reply with these records only, its flags as they were, without OPT. Nothing when the reply is
// malformed, or has other numbers of records.
std::optional<std::vector<std::uint8_t>> keep_records(bytes reply, const kept_records& which);

// A query as ldns reads it, to hold our own parser against.
struct second_opinion {
  std::uint16_t id = 0, type = 0, rr_class = 0, udp_size = 0;
  std::vector<std::uint8_t> name;  // wire form, in the question's case
  bool has_edns = false, wants_dnssec = false;
  unsigned questions = 0;
};
std::optional<second_opinion> read_with_ldns(bytes message);

}  // namespace egress::dns
