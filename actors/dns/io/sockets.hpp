#pragma once
// The listening sockets of the DNS server. Opened once, before any actor, and owned outside of all of them: a
// packet loop works on duplicates, and what arrives between two loops waits in the kernel.

#include <string>
#include <vector>

#include "runtime/base/result.hpp"
#include "runtime/net/unique_fd.hpp"

namespace egress::dns {

// One worker's pair. All workers share one address by SO_REUSEPORT.
struct worker_sockets {
  unique_fd udp, tcp;

  result<worker_sockets> dup() const;
};

struct dns_sockets {
  std::vector<worker_sockets> workers;
  std::string address;  // as bound, "127.0.0.1:5353" or "[::]:5353"
  std::uint16_t port = 0;
};

// `address` is "HOST:PORT", "[V6]:PORT" or ":PORT" (all addresses, both families where there is IPv6); port 0
// lets the kernel choose one for all. `workers` is at least 1. The error names the address and the reason.
result<dns_sockets> open_dns_sockets(const std::string& address, std::size_t workers);

}  // namespace egress::dns
