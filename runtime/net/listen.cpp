#include "runtime/net/listen.hpp"

#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cstring>
#include <memory>

namespace egress::net {
namespace {

struct host_port {
  std::string host, port;
};

result<host_port> split(const std::string& address) {
  const auto colon = address.rfind(':');
  if (colon == std::string::npos || colon + 1 == address.size())
    return fail("{:?} is no address to listen on: write HOST:PORT or :PORT", address);
  auto host = address.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  return host_port{host, address.substr(colon + 1)};
}

std::string bound_address(int fd, std::uint16_t& port) {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  getsockname(fd, reinterpret_cast<sockaddr*>(&storage), &size);
  char host[NI_MAXHOST], service[NI_MAXSERV];
  getnameinfo(reinterpret_cast<sockaddr*>(&storage), size, host, sizeof host, service, sizeof service,
              NI_NUMERICHOST | NI_NUMERICSERV);
  port = static_cast<std::uint16_t>(std::stoi(service));
  return storage.ss_family == AF_INET6 ? fmt::format("[{}]:{}", host, service)
                                       : fmt::format("{}:{}", host, service);
}

unique_fd open_one(const addrinfo& at) {
  unique_fd fd(socket(at.ai_family, at.ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, at.ai_protocol));
  if (!fd) return fd;
  const int yes = 1, no = 0;
  setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (at.ai_family == AF_INET6) setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof no);
  if (bind(fd.get(), at.ai_addr, at.ai_addrlen) != 0 || ::listen(fd.get(), SOMAXCONN) != 0) {
    const int why = errno;
    fd.reset();
    errno = why;
  }
  return fd;
}

}  // namespace

result<listening_socket> listen_tcp(const std::string& address) {
  const auto parts = split(address);
  if (!parts) return std::unexpected(parts.error());
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int bad =
      getaddrinfo(parts->host.empty() ? nullptr : parts->host.c_str(), parts->port.c_str(), &hints, &found);
  if (bad != 0) return fail("cannot listen on {}: {}", address, gai_strerror(bad));
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> all(found, &freeaddrinfo);
  listening_socket made;
  // ":PORT": IPv6 first, which takes IPv4 as well.
  for (const int family : {AF_INET6, AF_INET})
    for (auto* one = all.get(); one && !made.fd; one = one->ai_next)
      if (one->ai_family == family) made.fd = open_one(*one);
  if (!made.fd)
    return fail("cannot listen on {}: {}; choose another address with the flag", address,
                std::strerror(errno));
  made.address = bound_address(made.fd.get(), made.port);
  return made;
}

}  // namespace egress::net
