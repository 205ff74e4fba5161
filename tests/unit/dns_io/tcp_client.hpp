#pragma once
// A DNS client over TCP.

#include <arpa/inet.h>

#include "tests/unit/dns_io/running.hpp"

namespace egress::dns::test {

// As it goes over a stream: its length before it.
inline packet framed(const packet& message) {
  packet whole;
  put16(whole, static_cast<unsigned>(message.size()));
  whole.insert(whole.end(), message.begin(), message.end());
  return whole;
}

class tcp_client {
 public:
  explicit tcp_client(std::uint16_t port) : tcp_client(AF_INET) {
    const auto at = loopback(port);
    EXPECT_EQ(::connect(fd_.get(), generic(at), sizeof at), 0);
  }
  static tcp_client over_ipv6(std::uint16_t port) {
    tcp_client made(AF_INET6);
    const auto at = loopback_ipv6(port);
    EXPECT_EQ(::connect(made.fd_.get(), generic(at), sizeof at), 0);
    return made;
  }
  // From another address of loopback, as another client.
  static tcp_client from(const char* address, std::uint16_t port) {
    tcp_client made(AF_INET);
    auto own = loopback(0);
    EXPECT_EQ(::inet_pton(AF_INET, address, &own.sin_addr), 1);
    EXPECT_EQ(::bind(made.fd_.get(), generic(own), sizeof own), 0);
    const auto at = loopback(port);
    EXPECT_EQ(::connect(made.fd_.get(), generic(at), sizeof at), 0);
    return made;
  }
  void send(const packet& message) const { send_raw(framed(message)); }
  void send_raw(const packet& p) const {
    EXPECT_EQ(::send(fd_.get(), p.data(), p.size(), MSG_NOSIGNAL), static_cast<ssize_t>(p.size()));
  }
  void finish() const { ::shutdown(fd_.get(), SHUT_WR); }
  int fd() const { return fd_.get(); }
  packet receive() const {
    packet size(2);
    if (!take(size)) return {};
    packet message(load16(size.data()));
    return take(message) ? message : packet{};
  }
  // The server closes: true when the end of the stream comes.
  bool ends() const {
    char byte;
    return readable(fd_.get()) && ::recv(fd_.get(), &byte, 1, 0) <= 0;
  }

 private:
  explicit tcp_client(int family) : fd_(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0)) {}
  bool take(packet& into) const {
    for (std::size_t got = 0; got < into.size();) {
      if (!readable(fd_.get())) return false;
      const auto more = ::recv(fd_.get(), &into[got], into.size() - got, 0);
      if (more <= 0) return false;
      got += static_cast<std::size_t>(more);
    }
    return true;
  }
  unique_fd fd_;
};

}  // namespace egress::dns::test
