// A load of DNS queries from one core: over UDP in batches, over TCP pipelined. Closed (so many in flight,
// the next when one is answered) or at a fixed rate. Prints one line of JSON. usage: load PORT udp|tcp NAMES
// SECONDS WINDOW RATE [PATTERN]
//   WINDOW in flight in all; RATE queries a second, 0 as fast as the window allows; PATTERN
//   host-%.example.com

#include "bench/dns/load.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace {

using namespace egress::bench;
using std::chrono::duration;
using std::chrono::seconds;

constexpr std::size_t udp_sockets = 16, tcp_sockets = 8, batch = 32, room = 1500;

int connect_to(std::uint16_t port, int type) {
  const int socket = ::socket(AF_INET, type, 0), on = 1, much = 1024 * 1024;
  ::setsockopt(socket, SOL_SOCKET, SO_RCVBUF, &much, sizeof much);
  if (type == SOCK_STREAM) ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_port = htons(port);
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(socket, reinterpret_cast<sockaddr*>(&at), sizeof at) != 0) {
    std::perror("connect");
    std::exit(1);
  }
  return socket;
}

// How many more may be sent now.
class pace {
 public:
  pace(double rate, clock::time_point began) : rate_(rate), began_(began) {}
  std::uint64_t allows(std::uint64_t sent, clock::time_point now) const {
    if (rate_ == 0) return UINT64_MAX;
    const auto due = static_cast<std::uint64_t>(duration<double>(now - began_).count() * rate_);
    return due > sent ? due - sent : 0;
  }

 private:
  double rate_;
  clock::time_point began_;
};

class udp_client {
 public:
  explicit udp_client(std::uint16_t port) : socket_(connect_to(port, SOCK_DGRAM)) {
    for (std::size_t i = 0; i < batch; ++i) {
      in_parts_[i] = {in_[i].data(), room};
      ins_[i].msg_hdr.msg_iov = &in_parts_[i];
      ins_[i].msg_hdr.msg_iovlen = 1;
      out_parts_[i].iov_base = out_[i].data();
      outs_[i].msg_hdr.msg_iov = &out_parts_[i];
      outs_[i].msg_hdr.msg_iovlen = 1;
    }
  }
  int socket() const { return socket_; }
  in_flight& waiting() { return waiting_; }

  bool receive(tally& into) {
    const int got = ::recvmmsg(socket_, ins_.data(), batch, MSG_DONTWAIT, nullptr);
    const auto now = clock::now();
    for (int i = 0; i < got; ++i) {
      const auto& one = in_[static_cast<std::size_t>(i)];
      const auto took = waiting_.end(static_cast<std::uint16_t>(one[0] << 8 | one[1]), now);
      if (took.count() >= 0) into.take(one.data(), took);
    }
    return got > 0;
  }
  void send(std::size_t count, questions& from, tally& into) {
    count = std::min(count, batch);
    const auto now = clock::now();
    for (std::size_t i = 0; i < count; ++i) {
      const auto& packet = from.next();
      const auto id = waiting_.begin(now);
      std::memcpy(out_[i].data(), packet.data(), packet.size());
      out_[i][0] = static_cast<std::uint8_t>(id >> 8);
      out_[i][1] = static_cast<std::uint8_t>(id);
      out_parts_[i].iov_len = packet.size();
    }
    if (count > 0) ::sendmmsg(socket_, outs_.data(), static_cast<unsigned>(count), 0);
    into.sent += count;
  }

 private:
  int socket_;
  in_flight waiting_;
  std::array<std::array<std::uint8_t, room>, batch> in_, out_;
  std::array<iovec, batch> in_parts_{}, out_parts_{};
  std::array<mmsghdr, batch> ins_{}, outs_{};
};

class tcp_client {
 public:
  explicit tcp_client(std::uint16_t port) : socket_(connect_to(port, SOCK_STREAM)) {}
  int socket() const { return socket_; }
  in_flight& waiting() { return waiting_; }

  bool receive(tally& into) {
    std::array<std::uint8_t, 65536> chunk;
    const auto got = ::recv(socket_, chunk.data(), chunk.size(), MSG_DONTWAIT);
    if (got <= 0) return false;
    in_.insert(in_.end(), chunk.begin(), chunk.begin() + got);
    const auto now = clock::now();
    std::size_t at = 0;
    while (in_.size() - at >= 2) {
      const auto size = static_cast<std::size_t>(in_[at] << 8 | in_[at + 1]);
      if (in_.size() - at - 2 < size) break;
      const auto* one = &in_[at + 2];
      const auto took = waiting_.end(static_cast<std::uint16_t>(one[0] << 8 | one[1]), now);
      if (took.count() >= 0) into.take(one, took);
      at += 2 + size;
    }
    in_.erase(in_.begin(), in_.begin() + static_cast<std::ptrdiff_t>(at));
    return true;
  }
  void send(std::size_t count, questions& from, tally& into) {
    out_.clear();
    const auto now = clock::now();
    for (std::size_t i = 0; i < count; ++i) {
      const auto& packet = from.next();
      const auto id = waiting_.begin(now);
      out_.insert(out_.end(),
                  {static_cast<std::uint8_t>(packet.size() >> 8), static_cast<std::uint8_t>(packet.size()),
                   static_cast<std::uint8_t>(id >> 8), static_cast<std::uint8_t>(id)});
      out_.insert(out_.end(), packet.begin() + 2, packet.end());
    }
    for (std::size_t sent = 0; sent < out_.size();) {
      const auto more = ::send(socket_, out_.data() + sent, out_.size() - sent, MSG_NOSIGNAL);
      if (more <= 0) std::exit(1);
      sent += static_cast<std::size_t>(more);
    }
    into.sent += count;
  }

 private:
  int socket_;
  in_flight waiting_;
  std::vector<std::uint8_t> in_, out_;
};

// An idle generator sleeps until something comes, so that one query at a time measures the server's wake-up.
template <class Client>
void sleep(std::vector<Client>& clients, bool paced) {
  std::array<pollfd, udp_sockets> all;
  for (std::size_t i = 0; i < clients.size(); ++i) all[i] = {clients[i].socket(), POLLIN, 0};
  const timespec soon{0, paced ? 20'000 : 50'000'000};
  ::ppoll(all.data(), clients.size(), &soon, nullptr);
}

template <class Client>
void run(std::vector<Client>& clients, questions& from, seconds how_long, std::size_t window, double rate) {
  tally counted;
  const auto began = clock::now(), end = began + how_long;
  const pace allowed(rate, began);
  const std::size_t share = std::max<std::size_t>(1, window / clients.size());
  auto now = began;
  for (auto forget_at = began; now < end; now = clock::now()) {
    bool moved = false;
    for (auto& one : clients) {
      moved = one.receive(counted) || moved;
      const auto free = share - std::min(share, one.waiting().size());
      const auto some = std::min<std::uint64_t>(free, allowed.allows(counted.sent, now));
      // Small leftovers wait for company, as they do in a network card.
      if (some == 0 || (rate == 0 && some * 4 < share)) continue;
      one.send(static_cast<std::size_t>(some), from, counted);
      moved = true;
    }
    if (!moved) sleep(clients, rate != 0);
    if (now < forget_at) continue;
    for (auto& one : clients) counted.lost += one.waiting().forget(now - seconds(1));
    forget_at = now + std::chrono::milliseconds(250);
  }
  const auto sent_for = duration<double>(clock::now() - began).count();
  for (const auto patience = clock::now() + seconds(1); clock::now() < patience;)
    for (auto& one : clients) one.receive(counted);
  for (auto& one : clients) counted.lost += one.waiting().size();
  counted.print(sent_for);
}

}  // namespace

int main(int count, char** words) {
  if (count < 7) {
    std::fputs("usage: load PORT udp|tcp NAMES SECONDS WINDOW RATE [PATTERN]\n", stderr);
    return 2;
  }
  const auto port = static_cast<std::uint16_t>(std::atoi(words[1]));
  const bool udp = std::strcmp(words[2], "udp") == 0;
  questions from(static_cast<unsigned>(std::atoi(words[3])), count > 7 ? words[7] : "host-%.example.com");
  const seconds how_long(std::atoi(words[4]));
  const auto window = static_cast<std::size_t>(std::atoi(words[5]));
  const double rate = std::atof(words[6]);
  if (udp) {
    // One query at a time is one socket's.
    std::vector<udp_client> clients;
    clients.reserve(udp_sockets);
    for (std::size_t i = 0; i < std::min(udp_sockets, window); ++i) clients.emplace_back(port);
    run(clients, from, how_long, window, rate);
  } else {
    std::vector<tcp_client> clients;
    for (std::size_t i = 0; i < std::min(tcp_sockets, window); ++i) clients.emplace_back(port);
    run(clients, from, how_long, window, rate);
  }
}
