#include "tests/support/scripted_server.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <stdexcept>

namespace egress::test {
namespace {

// Length of the whole request that `text` begins with, once its head is there.
std::optional<std::size_t> request_size(const std::string& text) {
  const auto end = text.find("\r\n\r\n");
  if (end == std::string::npos) return std::nullopt;
  std::size_t body = 0;
  if (const auto at = text.find("Content-Length: "); at < end)
    std::from_chars(text.data() + at + 16, text.data() + end, body);
  return end + 4 + body;
}

// The next request; nothing when the client closed first.
std::optional<std::string> read_request(int fd, bool head_only = false) {
  std::string text;
  for (;;) {
    if (const auto size = request_size(text); size && (head_only || text.size() >= *size)) return text;
    char piece[4096];
    const auto got = ::recv(fd, piece, sizeof piece, 0);
    if (got <= 0) return std::nullopt;
    text.append(piece, static_cast<std::size_t>(got));
  }
}

void send_all(int fd, std::string_view bytes, std::size_t at_once) {
  while (!bytes.empty()) {
    const auto sent = ::send(fd, bytes.data(), std::min(at_once, bytes.size()), MSG_NOSIGNAL);
    if (sent <= 0) return;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

}  // namespace

scripted_server::scripted_server(std::vector<scripted_connection> script)
    : script_(std::move(script)), listening_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* any = reinterpret_cast<sockaddr*>(&address);
  if (::bind(listening_.get(), any, size) != 0 || ::listen(listening_.get(), 64) != 0 ||
      ::getsockname(listening_.get(), any, &size) != 0)
    throw std::runtime_error("no listening socket on loopback");
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { serve(); });
}

scripted_server::~scripted_server() {
  {
    const std::scoped_lock lock(guard_);
    stopping_ = true;
    ::shutdown(listening_.get(), SHUT_RDWR);
    if (current_ >= 0) ::shutdown(current_, SHUT_RDWR);
  }
  thread_.join();
}

std::string scripted_server::url() const {
  return fmt::format("http://127.0.0.1:{}", port_);
}

std::vector<std::string> scripted_server::requests() const {
  const std::scoped_lock lock(guard_);
  return requests_;
}

std::size_t scripted_server::closed() const {
  const std::scoped_lock lock(guard_);
  return closed_;
}

void scripted_server::serve() {
  for (const auto& one : script_) {
    unique_fd accepted(::accept4(listening_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    {
      const std::scoped_lock lock(guard_);
      if (stopping_ || !accepted) return;
      current_ = accepted.get();
    }
    const int on = 1;
    ::setsockopt(accepted.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    serve_connection(accepted.get(), one);
    const std::scoped_lock lock(guard_);
    current_ = -1;
    accepted.reset();
    ++closed_;
  }
}

void scripted_server::serve_connection(int fd, const scripted_connection& script) {
  for (const auto& answer : script) {
    auto request = read_request(fd, answer.head_only);
    if (!request) return;
    {
      const std::scoped_lock lock(guard_);
      requests_.push_back(std::move(*request));
    }
    send_all(fd, answer.bytes, answer.byte_by_byte ? 1 : answer.bytes.size());
    if (answer.then == scripted_answer::after::close) return;
    if (answer.then == scripted_answer::after::hold) {
      read_request(fd);
      return;
    }
  }
}

std::string http_answer(int status, const std::string& body, const std::string& fields) {
  return fmt::format("HTTP/1.1 {} Said\r\n{}Content-Length: {}\r\n\r\n{}", status, fields, body.size(), body);
}

std::string chunked_answer(const std::vector<std::string>& pieces, bool complete) {
  std::string text = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (const auto& one : pieces) text += fmt::format("{:x}\r\n{}\r\n", one.size(), one);
  return complete ? text + "0\r\n\r\n" : text;
}

}  // namespace egress::test
