// A load of DNS queries whose every answer is looked at: does a hijacked name ever lead to its real address?
// Real addresses are those of 203.0.113.0/24 and 2001:db8::/32: the test's upstreams give no others, and none
// of their bytes may be anywhere in an answer for a hijacked name; nor may an alias, which would lead a cache
// to one later. usage: leak_check PORT NAMES QUERIES RATE
//   NAMES     a file of lines: `hijacked NAME CLUSTER_IP` or `other NAME`; `*.` is a new label each time
//   QUERIES   how many at least; it goes on until SIGTERM, too
//   RATE      queries a second at most, 0: as fast as the answers come
// 128 wait at a time, 8 of them over TCP. Prints the counts so far as a line of JSON, ten times a second and
// in the end. Exits 1 after a leak.

#include "tests/integration/leak_check.hpp"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iostream>
#include <memory>
#include <sstream>

namespace {

using namespace egress::leaks;
using namespace std::chrono_literals;

// As many as a socket of CoreDNS has room for; more ids than may wait, so that an answer which comes late
// still finds its question.
constexpr std::size_t udp_lanes = 15, tcp_lanes = 8, ids = 8192;
// CoreDNS answers what comes on one connection one after the other: a slow one would hold up all behind it.
constexpr std::size_t udp_window = 8, tcp_window = 1;
// CoreDNS gives up after two attempts of 2 s each.
constexpr auto patience = 6s;

volatile std::sig_atomic_t told_to_end = 0;

int connect_to(std::uint16_t port, int type) {
  const int fd = ::socket(AF_INET, type | SOCK_CLOEXEC, 0);
  const int much = 1 << 20;
  ::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &much, sizeof much);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof to) != 0) {
    std::perror("leak_check: connect");
    std::exit(2);
  }
  return fd;
}

class lane {
 public:
  lane(std::uint16_t port, bool stream)
      : port_(port), stream_(stream), fd_(connect_to(port, stream ? SOCK_STREAM : SOCK_DGRAM)) {}
  lane(const lane&) = delete;
  ~lane() { ::close(fd_); }
  int fd() const { return fd_; }
  std::size_t waiting() const { return waiting_; }
  std::size_t free() const { return (stream_ ? tcp_window : udp_window) - waiting_; }

  void send(const question& what, tally& into) {
    next_id_ = (next_id_ + 1) % ids;
    auto packet = packet_of(what, next_id_);
    auto& slot = asked_[next_id_];
    if (slot.waited_for) give_up(slot, into);
    slot = {what, clock::now(), true};
    ++waiting_;
    into.sent();
    if (stream_)
      packet.insert(packet.begin(), {static_cast<std::uint8_t>(packet.size() >> 8),
                                     static_cast<std::uint8_t>(packet.size())});
    if (::send(fd_, packet.data(), packet.size(), MSG_NOSIGNAL) != std::ssize(packet)) again(into);
  }

  // False when nothing had come.
  bool receive(tally& into) {
    std::array<std::uint8_t, 65536> chunk;
    const auto size = ::recv(fd_, chunk.data(), chunk.size(), MSG_DONTWAIT);
    if (size < 0 && (errno == EAGAIN || errno == ECONNREFUSED)) return false;
    if (!stream_) {
      answered({chunk.data(), static_cast<std::size_t>(size)}, into);
      return true;
    }
    if (size <= 0) return again(into), true;
    bytes_.insert(bytes_.end(), chunk.begin(), chunk.begin() + size);
    std::size_t at = 0;
    while (bytes_.size() - at >= 2) {
      const auto length = static_cast<std::size_t>(bytes_[at] << 8 | bytes_[at + 1]);
      if (bytes_.size() - at - 2 < length) break;
      answered({bytes_.data() + at + 2, length}, into);
      at += 2 + length;
    }
    bytes_.erase(bytes_.begin(), bytes_.begin() + static_cast<std::ptrdiff_t>(at));
    return true;
  }

  void forget(clock::time_point before, tally& into) {
    for (auto& slot : asked_)
      if (slot.waited_for && slot.at < before) give_up(slot, into);
  }

 private:
  struct asked {
    question what{};
    clock::time_point at{};
    bool waited_for = false;
  };

  void end(asked& slot) {
    slot.waited_for = false;
    --waiting_;
  }
  void give_up(asked& slot, tally& into) {
    into.lost(slot.what);
    end(slot);
  }

  void answered(std::span<const std::uint8_t> packet, tally& into) {
    if (packet.size() < 12) return;
    const auto id = static_cast<std::size_t>(packet[0] << 8 | packet[1]);
    if (id >= ids || asked_[id].what.about == nullptr || !is_answer_to(asked_[id].what, packet)) return;
    // A late answer is looked at no less: another client would have waited longer.
    into.take(asked_[id].what, packet);
    if (asked_[id].waited_for) end(asked_[id]);
  }
  // The server has closed the connection, as servers may: what waited on it is lost.
  void again(tally& into) {
    forget(clock::time_point::max(), into);
    bytes_.clear();
    ::close(fd_);
    fd_ = connect_to(port_, stream_ ? SOCK_STREAM : SOCK_DGRAM);
  }

  std::uint16_t port_, next_id_ = 0;
  bool stream_;
  int fd_;
  std::size_t waiting_ = 0;
  std::vector<asked> asked_{ids};
  std::vector<std::uint8_t> bytes_;
};

class run {
 public:
  run(std::uint16_t port, subjects about, std::uint64_t queries, double rate)
      : questions_(std::move(about)), queries_(queries), rate_(rate) {
    for (std::size_t i = 0; i < udp_lanes + tcp_lanes; ++i)
      lanes_.push_back(std::make_unique<lane>(port, i >= udp_lanes));
  }

  bool operator()() {
    for (auto tick = began_; !finished();) {
      bool moved = false;
      for (auto& one : lanes_) moved = exchange(*one) || moved;
      if (!moved) sleep();
      if (clock::now() < tick) continue;
      for (auto& one : lanes_) one->forget(clock::now() - patience, tally_);
      tally_.print(clock::now() - began_);
      tick = clock::now() + 100ms;
    }
    tally_.print(clock::now() - began_);
    return tally_.leaked() == 0;
  }

 private:
  bool enough() const { return told_to_end && tally_.asked() >= queries_; }
  bool finished() const {
    return enough() && std::ranges::all_of(lanes_, [](const auto& one) { return one->waiting() == 0; });
  }
  bool exchange(lane& on) {
    bool moved = false;
    for (std::size_t i = 0; i < udp_window && on.receive(tally_); ++i) moved = true;
    for (; on.free() > 0 && due(); moved = true) on.send(questions_.next(), tally_);
    return moved;
  }
  bool due() const {
    if (enough()) return false;
    return rate_ == 0 || static_cast<double>(tally_.asked()) <
                             std::chrono::duration<double>(clock::now() - began_).count() * rate_;
  }
  void sleep() {
    std::vector<pollfd> all;
    for (const auto& one : lanes_) all.push_back({one->fd(), POLLIN, 0});
    ::poll(all.data(), all.size(), rate_ == 0 ? 50 : 1);
  }

  questions questions_;
  std::uint64_t queries_;
  double rate_;
  std::vector<std::unique_ptr<lane>> lanes_;
  tally tally_;
  clock::time_point began_ = clock::now();
};

subjects read(const char* path) {
  subjects made;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string kind, name, address;
    words >> kind >> name >> address;
    subject one{.hijacked = kind == "hijacked", .name = name, .address = {}};
    if (one.hijacked && ::inet_pton(AF_INET, address.c_str(), one.address.data()) != 1) {
      std::cerr << "leak_check: " << path << ": no address in: " << line << '\n';
      std::exit(2);
    }
    made.push_back(one);
  }
  return made;
}

}  // namespace

int main(int count, char** words) {
  if (count != 5) {
    std::cerr << "usage: leak_check PORT NAMES QUERIES RATE\n";
    return 2;
  }
  std::signal(SIGTERM, [](int) { told_to_end = 1; });
  run all(static_cast<std::uint16_t>(std::atoi(words[1])), read(words[2]),
          static_cast<std::uint64_t>(std::atoll(words[3])), std::atof(words[4]));
  return all() ? 0 : 1;
}
