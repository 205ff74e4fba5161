#pragma once
// From a query to what becomes of it: the whole decision, without a socket. Answers to hijacked names are
// written here, without allocation; everything else is for the forwarder. Pure; any thread.

#include "actors/dns/client_acl.hpp"
#include "actors/dns/domain_routes.hpp"
#include "actors/dns/hijack_table.hpp"
#include "actors/dns/opt_record.hpp"

namespace egress::dns {

// What is done with a forwarded query's reply (forward_reply.hpp).
enum class forward_kind : std::uint8_t {
  plain,           // passed on
  hijacked_other,  // another type of a hijacked name: no alias may leave it, no NXDOMAIN
  wildcard,        // below a "*." name: passed on when there is no such name, else respond_hijacked answers
  wildcard_other,  // the same for another type: passed on when there is no such name, else as hijacked_other
  root_probe,      // `. NS`: answered at once with what is known, asked upstream beside that
};

enum class action : std::uint8_t { drop, answered, forward };

struct outcome {
  action what = action::drop;
  std::size_t size = 0;                    // answered: bytes in `out`
  rcode code = rcode::noerror;             // answered
  bool hijacked = false;                   // answered from the table
  bool rewritten = false;                  // an upstream's, without its aliases and signatures
  forward_kind how = forward_kind::plain;  // forward
};

struct respond_options {
  std::uint32_t ttl = 5;  // seconds, of answers from the table and of their SOA (--dns-ttl)
  // Domains with upstreams of their own (--dns-forward): private reverse names below them are forwarded.
  std::shared_ptr<const domain_routes> forwarded = nullptr;
};

// Every answer of our own fits here, and so into what the smallest client takes.
inline constexpr std::size_t answer_room = plain_udp_size;

// `judged` is what parse_query said; `table` null means that no table is known yet: SERVFAIL with EDE 14,
// never the real address. `out` has answer_room bytes at least. `allowed`: asked.client is inside
// --dns-allow.
outcome respond(const query& asked, reaction judged, bool allowed, const hijack_table* table,
                const respond_options& options, buffer out);

// The answer from the table to a name below a wildcard, once the upstream has shown that the name may exist.
// Falls back to SERVFAIL when the name has left the table meanwhile.
outcome respond_hijacked(const query& asked, const hijack_table* table, const respond_options& options,
                         buffer out);

// NOERROR without data, for a name that we answer for: with the SOA that a cache needs.
outcome respond_nodata(const query& asked, const respond_options& options, const explanation& why,
                       buffer out);

// An error: the question (when it could be read) and OPT (when there was one), with an extended error.
outcome respond_error(const query& asked, rcode code, const explanation& why, buffer out);

// Whose an answer of this entry is, and so why it carries no signature: for clients with EDNS.
explanation forged(const query& asked, const table_entry& entry);

// Whether the client is answered with this entry (spec.dnsClients): others get the real answer.
inline bool sees(const query& asked, const table_entry& entry) {
  return entry.clients().empty() || any_has(entry.clients(), asked.client);
}

}  // namespace egress::dns
