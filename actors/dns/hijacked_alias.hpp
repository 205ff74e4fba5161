#pragma once
// Aliases of other names that lead to a hijacked one. Pure.

#include "actors/dns/hijack_table.hpp"
#include "actors/dns/query.hpp"

namespace egress::dns {

// Whether a CNAME among the answers leads to a hijacked name while the question's own name is not hijacked:
// its clients go to the real address, around the gateway. Such an answer is not changed, since that gateway's
// allow-list is not the question's; people should know of it. `reply` passed is_reply_to and in_bailiwick.
// Costs next to nothing where there is no CNAME.
bool has_hijacked_alias(const query& asked, bytes reply, const hijack_table& table);

}  // namespace egress::dns
