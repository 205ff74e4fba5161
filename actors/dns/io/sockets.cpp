#include "actors/dns/io/sockets.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <charconv>
#include <cstring>

namespace egress::dns {
namespace {

// What arrives while a loop restarts waits here: 5,000 packets, 250 ms at 20,000 queries a second. Not more:
// under overload answers wait behind all of them, 20 ms when they are ours. Up to net.core.rmem_max, unless
// we may exceed it.
constexpr int receive_buffer = 2 << 20;
constexpr int send_buffer = 4 << 20;
constexpr int tcp_backlog = 1024;

struct endpoint {
  sockaddr_storage storage{};
  socklen_t size = 0;
  bool is_v6() const { return storage.ss_family == AF_INET6; }
  bool is_any() const;
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

endpoint make_v4(in_addr host, std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr = host;
  address.sin_port = htons(port);
  endpoint made{.storage = {}, .size = sizeof address};
  std::memcpy(&made.storage, &address, sizeof address);
  return made;
}

endpoint make_v6(const in6_addr& host, std::uint16_t port) {
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_addr = host;
  address.sin6_port = htons(port);
  endpoint made{.storage = {}, .size = sizeof address};
  std::memcpy(&made.storage, &address, sizeof address);
  return made;
}

bool endpoint::is_any() const {
  if (!is_v6()) {
    sockaddr_in v4;
    std::memcpy(&v4, &storage, sizeof v4);
    return v4.sin_addr.s_addr == INADDR_ANY;
  }
  sockaddr_in6 v6;
  std::memcpy(&v6, &storage, sizeof v6);
  // ::ffff:0.0.0.0 is every IPv4 address.
  constexpr std::uint8_t mapped_any[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  return std::memcmp(&v6.sin6_addr, &in6addr_any, sizeof in6addr_any) == 0 ||
         std::memcmp(&v6.sin6_addr, mapped_any, sizeof mapped_any) == 0;
}

bool has_ipv6() {
  const unique_fd trial(::socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const auto any = make_v6(in6addr_any, 0);
  return trial && ::bind(trial.get(), any.get(), any.size) == 0;
}

result<endpoint> parse(const std::string& address) {
  const auto colon = address.rfind(':');
  unsigned port = 0;
  const char* end = address.data() + address.size();
  if (colon == std::string::npos || colon + 1 == address.size())
    return fail("\"{}\" is no address to listen on: write HOST:PORT or :PORT", address);
  const auto [stopped, problem] = std::from_chars(address.data() + colon + 1, end, port);
  if (problem != std::errc{} || stopped != end || port > 65535)
    return fail("\"{}\": the port must be 0 to 65535", address);
  std::string host = address.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  const auto at = static_cast<std::uint16_t>(port);
  if (host.empty()) return has_ipv6() ? make_v6(in6addr_any, at) : make_v4(in_addr{INADDR_ANY}, at);
  if (host == "localhost") host = "127.0.0.1";
  in_addr v4{};
  in6_addr v6{};
  if (inet_pton(AF_INET, host.c_str(), &v4) == 1) return make_v4(v4, at);
  if (inet_pton(AF_INET6, host.c_str(), &v6) == 1) return make_v6(v6, at);
  return fail("\"{}\": {} is no IP address", address, host);
}

std::uint16_t port_of(const endpoint& at) {
  std::uint16_t port = 0;  // at the same place in both families
  std::memcpy(&port, reinterpret_cast<const char*>(&at.storage) + offsetof(sockaddr_in, sin_port), 2);
  return ntohs(port);
}

void set(int fd, int level, int option, int value) {
  ::setsockopt(fd, level, option, &value, sizeof value);
}

// On every address of the host a query must be answered from the one it was sent to: the kernel tells, and is
// told. A socket with one address has no choice, and is spared both: some per cent of what an answer costs.
// Of its own family alone: an IPv6 socket reports mapped IPv4 addresses there too, and the kernel refuses
// an answer that carries both.
void ask_for_destination(int fd, const endpoint& at) {
  if (!at.is_any()) return;
  if (at.is_v6())
    set(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
  else
    set(fd, IPPROTO_IP, IP_PKTINFO, 1);
}

void tune(int fd, const endpoint& at, int type) {
  if (at.is_v6()) set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0);
  if (type != SOCK_DGRAM) {
    set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    return;
  }
  set(fd, SOL_SOCKET, SO_RCVBUF, receive_buffer);
  set(fd, SOL_SOCKET, SO_RCVBUFFORCE, receive_buffer);
  set(fd, SOL_SOCKET, SO_SNDBUF, send_buffer);
  ask_for_destination(fd, at);
  // A forged "fragmentation needed" must not shrink what we send, and have it go out in fragments (RFC 9715):
  // with IP_PMTUDISC_DONT, too, Linux would believe it. Mapped clients of an IPv6 socket are answered by
  // IPv4; and over IPv6 no answer is longer than what every path takes (edns_udp_size).
  set(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_OMIT);
}

// SO_REUSEPORT would let us share a port with another program of the same user without a word, also one that
// the kernel chose for us: the first of the sockets is bound without it.
result<unique_fd> open_socket(const endpoint& at, int type, bool first, const std::string& text) {
  const auto failure = [&](const char* what) {
    return fail("cannot {} {} for DNS over {}: {}", what, text, type == SOCK_DGRAM ? "UDP" : "TCP",
                std::strerror(errno));
  };
  unique_fd fd(::socket(at.storage.ss_family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return failure("open a socket on");
  tune(fd.get(), at, type);
  if (!first) set(fd.get(), SOL_SOCKET, SO_REUSEPORT, 1);
  if (::bind(fd.get(), at.get(), at.size) != 0) return failure("bind");
  set(fd.get(), SOL_SOCKET, SO_REUSEPORT, 1);
  if (type == SOCK_STREAM && ::listen(fd.get(), tcp_backlog) != 0) return failure("listen on");
  return fd;
}

std::string to_text(const endpoint& at) {
  char host[INET6_ADDRSTRLEN] = "";
  if (at.is_v6()) {
    sockaddr_in6 v6;
    std::memcpy(&v6, &at.storage, sizeof v6);
    inet_ntop(AF_INET6, &v6.sin6_addr, host, sizeof host);
    return fmt::format("[{}]:{}", host, port_of(at));
  }
  sockaddr_in v4;
  std::memcpy(&v4, &at.storage, sizeof v4);
  inet_ntop(AF_INET, &v4.sin_addr, host, sizeof host);
  return fmt::format("{}:{}", host, port_of(at));
}

// One try to have all sockets on one port; with port 0 the first UDP socket's choice is everyone's.
result<dns_sockets> open_all(endpoint at, std::size_t workers, const std::string& text) {
  dns_sockets opened;
  for (std::size_t i = 0; i < workers; ++i) {
    auto udp = open_socket(at, SOCK_DGRAM, i == 0, text);
    if (!udp) return std::unexpected(udp.error());
    if (i == 0) ::getsockname(udp->get(), reinterpret_cast<sockaddr*>(&at.storage), &at.size);
    auto tcp = open_socket(at, SOCK_STREAM, i == 0, text);
    if (!tcp) return std::unexpected(tcp.error());
    opened.workers.push_back({std::move(*udp), std::move(*tcp)});
  }
  opened.address = to_text(at);
  opened.port = port_of(at);
  return opened;
}

}  // namespace

result<worker_sockets> worker_sockets::dup() const {
  worker_sockets copy{udp.dup(), tcp.dup()};
  if (!copy.udp || !copy.tcp) return fail("cannot duplicate a DNS socket: {}", std::strerror(errno));
  return copy;
}

result<dns_sockets> open_dns_sockets(const std::string& address, std::size_t workers) {
  const auto at = parse(address);
  if (!at) return std::unexpected(at.error());
  if (port_of(*at) != 0) return open_all(*at, workers, address);
  // The port that UDP got may be taken for TCP: a few tries find one that is free for both.
  auto opened = open_all(*at, workers, address);
  for (int tries = 1; !opened && tries < 16; ++tries) opened = open_all(*at, workers, address);
  return opened;
}

}  // namespace egress::dns
