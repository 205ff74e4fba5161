#pragma once
// A listening TCP socket, opened before anything else so that an address in use is a start-up error.

#include <cstdint>
#include <string>

#include "runtime/base/result.hpp"
#include "runtime/net/unique_fd.hpp"

namespace egress::net {

struct listening_socket {
  unique_fd fd;
  std::string address;  // as bound: "127.0.0.1:8080", "[::]:8080"
  std::uint16_t port = 0;
};

// `address` is ":PORT" (all addresses; IPv6 with IPv4 mapped where there is IPv6), "HOST:PORT" or
// "[V6]:PORT"; port 0 lets the kernel choose. The error names the address and says what to do.
result<listening_socket> listen_tcp(const std::string& address);

}  // namespace egress::net
