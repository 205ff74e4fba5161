#pragma once
// A network of the calling thread's own, with interfaces whose other end is the test.

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>

#include <cstring>
#include <fstream>

#include "tests/unit/dns_io/running.hpp"

namespace egress::dns::test {

// An interface by this name, with what `fill` writes into the request. False when the kernel refuses.
template <class Fill>
bool change_interface(const char* name, int by, unsigned long how, Fill&& fill) {
  ifreq wanted{};
  std::strncpy(wanted.ifr_name, name, IFNAMSIZ - 1);
  fill(wanted);
  return ::ioctl(by, how, &wanted) == 0;
}

inline bool set_up(const char* name) {
  const unique_fd any(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  return change_interface(name, any.get(), SIOCSIFFLAGS, [](ifreq& one) { one.ifr_flags = IFF_UP; });
}

// With loopback alone. False without the right.
inline bool enter_own_network() {
  return ::unshare(CLONE_NEWNET) == 0 && set_up("lo");
}

// Whole IP packets come and go by its file. It has this address of a network of 256.
class tun_interface {
 public:
  tun_interface(const char* name, const char* address)
      : fd_(::open("/dev/net/tun", O_RDWR | O_CLOEXEC)),
        made_(change_interface(name, fd_.get(), TUNSETIFF,
                               [](ifreq& one) { one.ifr_flags = IFF_TUN | IFF_NO_PI; }) &&
              set(name, SIOCSIFADDR, address) && set(name, SIOCSIFNETMASK, "255.255.255.0") && set_up(name)) {
  }
  explicit operator bool() const { return made_; }
  void send(const packet& p) const {
    EXPECT_EQ(::write(fd_.get(), p.data(), p.size()), static_cast<ssize_t>(p.size()));
  }
  // The next IPv4 packet; empty when none comes. The kernel has some to say about IPv6, too.
  packet receive(int wait_ms = patience_ms) const {
    while (readable(fd_.get(), wait_ms)) {
      packet p(4096);
      const auto got = ::read(fd_.get(), p.data(), p.size());
      if (got <= 0) break;
      p.resize(static_cast<std::size_t>(got));
      if (p[0] >> 4 == 4) return p;
    }
    return {};
  }

 private:
  static bool set(const char* name, unsigned long what, const char* address) {
    const unique_fd any(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    return change_interface(name, any.get(), what, [&](ifreq& one) {
      auto at = loopback(0);
      ::inet_pton(AF_INET, address, &at.sin_addr);
      std::memcpy(&one.ifr_addr, &at, sizeof at);
    });
  }
  unique_fd fd_;
  bool made_;
};

}  // namespace egress::dns::test
