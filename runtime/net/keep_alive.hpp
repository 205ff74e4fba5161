#pragma once
// How a TCP connection notices that its peer is gone.

namespace egress::net {

// SO_KEEPALIVE (30 s idle, probes every 10 s, 3 of them) and TCP_USER_TIMEOUT (60 s): a silent network path
// is an error within a minute and not after the kernel's two hours. `fd` is a TCP socket; failures are of no
// consequence and ignored.
void keep_alive(int fd);

}  // namespace egress::net
