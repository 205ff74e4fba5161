#pragma once
// An open-loop load of one DNS question over UDP: so many queries a second, whatever the answers do.

#include <chrono>
#include <cstdint>
#include <string>

namespace egress::test {

struct load_result {
  std::uint64_t sent = 0, answered = 0;
  std::uint64_t wrong = 0;       // answers without `address` among their bytes
  std::uint64_t late_sends = 0;  // the sender itself was more than 5 ms behind
  std::chrono::microseconds p50{0}, p999{0}, worst{0};
};

// Asks 127.0.0.1:port for the A record of `name` from 16 sockets (so that SO_REUSEPORT spreads them), and
// waits up to 2 s for the last answers. `address` is the IPv4 address that a right answer carries.
load_result ask_at_rate(std::uint16_t port, const std::string& name, const std::string& address,
                        unsigned per_second, std::chrono::seconds how_long);

}  // namespace egress::test
