// The least a DNS server on one core can do: batches of datagrams in, each with one fixed answer behind its
// question out, nothing looked up; over TCP the same with what a read brings. What others cost is told as a
// ratio to this. usage: floor PORT

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <vector>

namespace {

constexpr std::size_t batch = 64, room = 1500, opt_size = 11;
// Owner, type, class, TTL, length and address.
std::uint8_t record[] = {0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 5, 0, 4, 10, 0, 0, 1};

[[noreturn]] void fail(const char* what) {
  std::perror(what);
  std::exit(1);
}

// In place: there are sizeof record bytes of room behind the message. Gives the answer's size.
std::size_t answer(std::uint8_t* message, std::size_t size) {
  if (size < 12) return 0;
  // As an upstream it is asked with an OPT record, which has no options, and stands in the answer's place.
  if (message[11] != 0) {
    message[11] = 0;
    size -= std::min(size - 12, opt_size);
  }
  message[2] |= 0x84;
  message[3] = 0x80;
  message[7] = 1;
  std::memcpy(message + size, record, sizeof record);
  return size + sizeof record;
}

class udp_floor {
 public:
  explicit udp_floor(int socket) : socket_(socket) {
    for (std::size_t i = 0; i < batch; ++i) {
      parts_[i] = {data_[i].data(), room};
      auto& header = headers_[i].msg_hdr;
      header.msg_iov = &parts_[i];
      header.msg_iovlen = 1;
      header.msg_name = &peers_[i];
    }
  }
  void serve() {
    for (;;) {
      for (std::size_t i = 0; i < batch; ++i) {
        parts_[i].iov_len = room - sizeof record;
        headers_[i].msg_hdr.msg_namelen = sizeof peers_[i];
      }
      const int got = ::recvmmsg(socket_, headers_.data(), batch, MSG_DONTWAIT, nullptr);
      if (got <= 0) return;
      for (int i = 0; i < got; ++i)
        parts_[static_cast<std::size_t>(i)].iov_len =
            answer(data_[static_cast<std::size_t>(i)].data(), headers_[static_cast<std::size_t>(i)].msg_len);
      for (int sent = 0; sent < got;) {
        const int more = ::sendmmsg(socket_, headers_.data() + sent, static_cast<unsigned>(got - sent), 0);
        if (more <= 0) break;
        sent += more;
      }
    }
  }

 private:
  int socket_;
  std::array<std::array<std::uint8_t, room>, batch> data_;
  std::array<iovec, batch> parts_{};
  std::array<mmsghdr, batch> headers_{};
  std::array<sockaddr_in, batch> peers_{};
};

// One client: whole messages of what was read are answered in one write.
class tcp_floor {
 public:
  explicit tcp_floor(int socket) : socket_(socket) {}
  // False when the client has gone.
  bool serve() {
    std::array<std::uint8_t, 65536> chunk;
    const auto got = ::recv(socket_, chunk.data(), chunk.size(), MSG_DONTWAIT);
    if (got == 0) return false;
    if (got < 0) return true;
    in_.insert(in_.end(), chunk.begin(), chunk.begin() + got);
    std::size_t at = 0;
    out_.clear();
    while (in_.size() - at >= 2) {
      const std::size_t size = static_cast<std::size_t>(in_[at] << 8 | in_[at + 1]);
      if (in_.size() - at - 2 < size) break;
      std::array<std::uint8_t, room> message;
      std::memcpy(message.data(), &in_[at + 2], std::min(size, room - sizeof record));
      const auto made = answer(message.data(), size);
      out_.push_back(static_cast<std::uint8_t>(made >> 8));
      out_.push_back(static_cast<std::uint8_t>(made));
      out_.insert(out_.end(), message.begin(), message.begin() + static_cast<std::ptrdiff_t>(made));
      at += 2 + size;
    }
    in_.erase(in_.begin(), in_.begin() + static_cast<std::ptrdiff_t>(at));
    return ::send(socket_, out_.data(), out_.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(out_.size());
  }

 private:
  int socket_;
  std::vector<std::uint8_t> in_, out_;
};

int listen_on(int type, std::uint16_t port) {
  const int socket = ::socket(AF_INET, type, 0);
  const int on = 1, much = 4 * 1024 * 1024;
  ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  ::setsockopt(socket, SOL_SOCKET, SO_RCVBUF, &much, sizeof much);
  ::setsockopt(socket, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_port = htons(port);
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::bind(socket, reinterpret_cast<sockaddr*>(&at), sizeof at) != 0) fail("bind");
  if (type == SOCK_STREAM && ::listen(socket, 128) != 0) fail("listen");
  return socket;
}

void watch(int poll, int socket) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = socket;
  if (::epoll_ctl(poll, EPOLL_CTL_ADD, socket, &event) != 0) fail("epoll_ctl");
}

}  // namespace

int main(int count, char** words) {
  const auto port = static_cast<std::uint16_t>(count >= 2 ? std::atoi(words[1]) : 0);
  if (port == 0) {
    std::fputs("usage: floor PORT [TTL]\n", stderr);
    return 2;
  }
  const int ttl = count > 2 ? std::atoi(words[2]) : 5;
  record[8] = static_cast<std::uint8_t>(ttl >> 8);
  record[9] = static_cast<std::uint8_t>(ttl);
  const int udp = listen_on(SOCK_DGRAM, port), tcp = listen_on(SOCK_STREAM, port), poll = ::epoll_create1(0);
  watch(poll, udp);
  watch(poll, tcp);
  static udp_floor datagrams(udp);
  std::map<int, tcp_floor> clients;
  for (;;) {
    std::array<epoll_event, batch> events;
    const int ready = ::epoll_wait(poll, events.data(), batch, -1);
    for (int i = 0; i < ready; ++i) {
      const int socket = events[static_cast<std::size_t>(i)].data.fd;
      if (socket == udp) {
        datagrams.serve();
      } else if (socket == tcp) {
        const int client = ::accept(tcp, nullptr, nullptr), on = 1;
        if (client < 0) continue;
        ::setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        clients.emplace(client, tcp_floor(client));
        watch(poll, client);
      } else if (const auto found = clients.find(socket); found != clients.end() && !found->second.serve()) {
        clients.erase(found);
        ::close(socket);
      }
    }
  }
}
