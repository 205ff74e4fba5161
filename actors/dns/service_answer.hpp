#pragma once
// Names below a gateway's Service: `_PORTNAME._tcp.NAME.NAMESPACE.svc.ZONE` has an SRV record for each of its
// ports (Kubernetes DNS specification 1.1, 2.3.2). Pure; any thread.

#include "actors/dns/respond.hpp"

namespace egress::dns {

// The answer to a name below one of our Services; nothing for other names. Allocates nothing.
std::optional<outcome> respond_below_service(const query& asked, const hijack_table& table,
                                             const respond_options& options, buffer out);

}  // namespace egress::dns
