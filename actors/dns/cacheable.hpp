#pragma once
// Whether an upstream's reply may be cached, for how long, and in which form (RFC 1035, 2181, 2308). Pure.

#include <vector>

#include "actors/dns/cache_entry.hpp"

namespace egress::dns {

inline constexpr std::uint32_t most_positive = 3600, most_negative = 1800;  // seconds

enum class reply_worth : std::uint8_t {
  keep,
  failure,  // no answer at all, or neither NOERROR nor NXDOMAIN
  pass,     // says nothing about what is cached: cut (TC), malformed
  forget,   // true, but not to be cached, so what was cached is no longer true: TTL 0, a denial without SOA
};

struct judged_reply {
  reply_worth worth = reply_worth::pass;
  cache_kind kind = cache_kind::success;
  rcode code = rcode::servfail;
  std::uint32_t lifetime = 0;  // seconds, > 0 for what is kept
  // The question lower-cased, without OPT and what is behind it, no TTL above the bound for its kind.
  std::vector<std::uint8_t> message;
  std::vector<std::uint16_t> ttls;  // where they are; those of records that lead to an address first
  std::size_t capped_ttls = 0;      // how many those are: --dns-max-ttl is for them
  std::size_t additional_at = 0;    // where additional records begin
};

// `reply` is empty (nobody answered) or passes is_reply_to for `asked`.
judged_reply judge_reply(const query& asked, bytes reply);

}  // namespace egress::dns
