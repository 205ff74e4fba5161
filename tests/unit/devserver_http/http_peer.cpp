#include "tests/unit/devserver_http/http_peer.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <strings.h>
#include <sys/socket.h>

#include "runtime/kube/json_text.hpp"

namespace egress::dev::test {
namespace {

constexpr int patience_ms = 10'000;

void send_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const auto count = ::send(fd, text.data(), text.size(), MSG_NOSIGNAL);
    if (count <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(count));
  }
}

// False at the end.
bool receive(int fd, std::string& to) {
  pollfd ready{fd, POLLIN, 0};
  if (::poll(&ready, 1, patience_ms) != 1) {
    ADD_FAILURE() << "the server is silent";
    return false;
  }
  char buffer[65536];
  const auto count = ::recv(fd, buffer, sizeof buffer, 0);
  if (count <= 0) return false;
  to.append(buffer, static_cast<std::size_t>(count));
  return true;
}

std::string request_text(const std::string& method, const std::string& target, const ask_options& with,
                         bool close) {
  return fmt::format("{} {} HTTP/1.1\r\nHost: {}\r\nAccept: {}\r\n{}{}{}Content-Length: {}\r\n\r\n{}", method,
                     target, with.host, with.accept, with.fields,
                     with.body.empty() ? "" : fmt::format("Content-Type: {}\r\n", with.content_type),
                     close ? "Connection: close\r\n" : "", with.body.size(), with.body);
}

int status_of_head(const std::string& head) {
  return head.size() > 12 ? std::atoi(head.c_str() + 9) : 0;
}

}  // namespace

unique_fd connect_to(std::uint16_t port) {
  unique_fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(fd.get(), reinterpret_cast<sockaddr*>(&to), sizeof to) != 0) ADD_FAILURE() << "no connection";
  return fd;
}

json::object reply::json() const {
  auto parsed = egress::json::parse_object(body);
  if (!parsed) ADD_FAILURE() << parsed.error().message << ": " << body;
  return parsed ? *std::move(parsed) : egress::json::object{};
}

std::string reply::field(const std::string& name) const {
  for (std::size_t at = head.find("\r\n"); at != std::string::npos && at + 2 < head.size();
       at = head.find("\r\n", at + 2))
    if (strncasecmp(head.c_str() + at + 2, (name + ": ").c_str(), name.size() + 2) == 0)
      return head.substr(at + 4 + name.size(), head.find("\r\n", at + 2) - at - 4 - name.size());
  return "";
}

reply ask(std::uint16_t port, const std::string& method, const std::string& target, const ask_options& with) {
  const auto fd = connect_to(port);
  send_all(fd.get(), request_text(method, target, with, true));
  std::string all;
  while (receive(fd.get(), all)) {
  }
  const auto end = all.find("\r\n\r\n");
  if (end == std::string::npos) return {};
  return {status_of_head(all), all.substr(0, end + 2), all.substr(end + 4)};
}

watching::watching(std::uint16_t port, const std::string& target, const std::string& accept)
    : fd_(connect_to(port)) {
  send_all(fd_.get(), request_text("GET", target, {"", "", accept}, false));
  while (raw_.find("\r\n\r\n") == std::string::npos)
    if (!read_more()) return;
  status_ = status_of_head(raw_);
  raw_.erase(0, raw_.find("\r\n\r\n") + 4);
}

bool watching::read_more() {
  return receive(fd_.get(), raw_);
}

bool watching::next_chunk() {
  for (;;) {
    const auto line = raw_.find("\r\n");
    if (line != std::string::npos) {
      const auto size = std::stoul(raw_.substr(0, line), nullptr, 16);
      complete_ = size == 0;
      if (complete_) return false;
      if (raw_.size() >= line + 2 + size + 2) {
        text_ += raw_.substr(line + 2, size);
        raw_.erase(0, line + 2 + size + 2);
        return true;
      }
    }
    if (!read_more()) return false;
  }
}

std::optional<json::object> watching::next() {
  while (text_.find('\n') == std::string::npos)
    if (!next_chunk()) return std::nullopt;
  const auto line = text_.substr(0, text_.find('\n'));
  text_.erase(0, line.size() + 1);
  auto parsed = json::parse_object(line);
  if (!parsed) ADD_FAILURE() << parsed.error().message << ": " << line;
  return parsed ? std::optional{*std::move(parsed)} : std::nullopt;
}

std::string watching::next_short() {
  const auto event = next();
  if (!event) return "";
  const std::string type{event->at("type").as_string()};
  const auto& object = event->at("object").as_object();
  if (type == "ERROR") return fmt::format("ERROR {}", object.at("code").as_int64());
  if (type == "BOOKMARK") return type;
  return type + " " + std::string{object.at("metadata").as_object().at("name").as_string()};
}

bool watching::silent_for(int milliseconds) {
  pollfd ready{fd_.get(), POLLIN, 0};
  return text_.empty() && raw_.empty() && ::poll(&ready, 1, milliseconds) == 0;
}

}  // namespace egress::dev::test
