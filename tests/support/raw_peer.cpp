#include "tests/support/raw_peer.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include <utility>

namespace egress::test {

raw_peer::raw_peer(std::uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(fd_.get(), reinterpret_cast<sockaddr*>(&to), sizeof to) != 0)
    ADD_FAILURE() << "no connection to port " << port;
}

void raw_peer::send(std::string_view bytes) const {
  while (!bytes.empty()) {
    const auto sent = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

void raw_peer::send_no_more() const {
  ::shutdown(fd_.get(), SHUT_WR);
}

bool raw_peer::read_more() {
  pollfd ready{fd_.get(), POLLIN, 0};
  if (::poll(&ready, 1, 10'000) != 1) {
    ADD_FAILURE() << "silence behind: " << read_;
    return false;
  }
  char piece[4096];
  const auto got = ::recv(fd_.get(), piece, sizeof piece, 0);
  if (got > 0) read_.append(piece, static_cast<std::size_t>(got));
  return got > 0;
}

std::string raw_peer::read_all() {
  while (read_more()) {
  }
  return std::exchange(read_, {});
}

std::string raw_peer::read_until(std::string_view end) {
  while (!read_.contains(end) && read_more()) {
  }
  const auto at = read_.find(end);
  if (at == std::string::npos) return std::exchange(read_, {});
  auto text = read_.substr(0, at + end.size());
  read_.erase(0, text.size());
  return text;
}

}  // namespace egress::test
