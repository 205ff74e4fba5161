#pragma once
// DNS cookies (RFC 7873) in the interoperable form (RFC 9018), so that another server could share our secret.
// A cookie is never demanded: it only lets clients tell our answers from forged ones. Pure: time and secret
// come in as arguments.

#include "actors/dns/query.hpp"

namespace egress::dns {

// 128 random bits, known to this process alone.
using cookie_secret = std::array<std::uint8_t, 16>;

// SipHash-2-4 (Aumasson, Bernstein), 64 bits of it.
std::uint64_t siphash(bytes message, const cookie_secret& key);

// The secret of a day, derived from the process's own: it changes daily without anybody who changes it, and
// yesterday's is known as long as it is needed.
cookie_secret secret_of_day(const cookie_secret& root, std::uint64_t day);

// The client's 8 bytes (the first of `sent`) and our 16, made at this time, in seconds since 1970, with this
// secret.
using whole_cookie = std::array<std::uint8_t, 24>;
whole_cookie make_cookie(bytes sent, const address_bytes& client, std::uint32_t when,
                         const cookie_secret& secret);

// The cookie for an answer: the client's 8 bytes and our 16. What we gave less than half an hour ago, today
// or before midnight, is given again. `sent` is the option of the query (8 bytes, or 16 to 40); `now` is in
// seconds since 1970.
whole_cookie answer_cookie(bytes sent, const address_bytes& client, std::uint64_t now,
                           const cookie_secret& root);

// For a query with a cookie: its answers will carry ours.
inline void give_cookie(query& asked, std::uint64_t now, const cookie_secret& root) {
  asked.answer_cookie = answer_cookie(asked.client_cookie, asked.client, now, root);
  asked.has_answer_cookie = true;
}

}  // namespace egress::dns
