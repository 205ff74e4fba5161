#pragma once
// What a client gets from the cache. Pure.

#include "actors/dns/cache.hpp"
#include "actors/dns/forward_reply.hpp"

namespace egress::dns {

inline constexpr std::uint32_t stale_ttl = 30;  // seconds (RFC 8767)

// Answers from a finding that is no miss, into `out`, which has answer_room bytes at least and is as large as
// the client takes: what does not fit is cut, with TC. The upstream's reply with its TTLs counted down, and
// what `how` and the table make of it, as in finish_forwarded. Allocates nothing but for other types of names
// below or of a hijacked one, and where additional records have to go. A stale answer says so (EDE 3; 19 for
// NXDOMAIN), and has no AD: its signatures may have expired.
outcome respond_cached(const query& asked, forward_kind how, const cache_finding& found, cache_time now,
                       const hijack_table* table, const forward_options& options, buffer out);

}  // namespace egress::dns
