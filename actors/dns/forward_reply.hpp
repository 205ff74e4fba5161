#pragma once
// Forwarding, without a socket: what an upstream is asked, whether a reply is really its answer, and what the
// client gets of it. Pure.

#include <vector>

#include "actors/dns/respond.hpp"

namespace egress::dns {

// The question for an upstream: this id, RD, AD (the answer is for all clients, and client_flags hides AD
// from those who have not asked: RFC 6840, 5.7), the client's CD and DO, EDNS of 1232 bytes, no option of the
// client's (no client subnet, no cookie); with without_edns no OPT, and so no DO. `out` has answer_room
// bytes. Gives the size.
std::size_t write_upstream_query(const query& asked, std::uint16_t id, buffer out);

// Whether an upstream says that it does not know EDNS, or may mean that (RFC 6891, section 7): FORMERR or
// NOTIMP without OPT to a question that had one.
bool may_not_know_edns(const query& asked, bytes reply);
// The same as a header alone, with that id: there is no question in it, and nothing to read.
bool is_bare_refusal(bytes reply, const query& asked, std::uint16_t id);

// Whether `reply` answers that question: id, QR, opcode, one question with this name, type and class. (The
// source address is the socket's business.)
bool is_reply_to(bytes reply, const query& asked, std::uint16_t id);

// The reply, unless OPT has more bits of its rcode (RFC 6891, 6.1.3): such errors (BADVERS, BADCOOKIE) are
// about how we asked, while the header alone may read NOERROR. It is then SERVFAIL without a record, in
// `room`.
bytes without_extended_rcode(const query& asked, bytes reply, std::vector<std::uint8_t>& room);

// Whether a message's additional records have the address of a host that is hijacked for who asks: its real
// one. `message` is a question of the size of `asked`'s, and what came with it; malformed records end the
// search.
bool adds_hijacked_address(const query& asked, bytes message, const hijack_table& table);

// Whether the question's name does not exist. With an answer NXDOMAIN is about the end of a chain of aliases
// (RFC 6604, 3): the name that was asked for is there, and leads on. `reply` has a header at least.
bool denies_name(bytes reply);

// The upstream's flags that a client may see, with the client's own RD and CD; AD only for who asked for it.
std::uint16_t client_flags(const query& asked, std::uint16_t upstream);

struct forward_options {
  respond_options answers;
  std::uint32_t max_ttl = 30;  // seconds, of what outlives_a_hijack() (--dns-max-ttl)
};

// What the client gets, into `out` (resized): the reply with the client's id, question, flags and EDNS, cut
// to `limit` with TC; or what `how` and the table make of it. An empty `reply` means that no upstream
// answered. The table is asked again, since a name may have been hijacked while the upstream was thinking.
// `note` is the extended error of a passed on reply.
outcome finish_forwarded(const query& asked, forward_kind how, bytes reply, const hijack_table* table,
                         const forward_options& options, std::size_t limit, std::vector<std::uint8_t>& out,
                         ede note = ede::none);

}  // namespace egress::dns
