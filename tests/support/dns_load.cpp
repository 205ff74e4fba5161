#include "tests/support/dns_load.hpp"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <thread>
#include <vector>

namespace egress::test {
namespace {

using clock = std::chrono::steady_clock;

constexpr std::size_t socket_count = 16;

// What was asked on one socket, by id.
struct lane {
  int fd = -1;
  std::array<std::atomic<std::int64_t>, 65536> asked_at{};  // ns since the start + 1; 0: not under way
  std::uint16_t next_id = 0;
  ~lane() { ::close(fd); }
};

std::vector<std::uint8_t> question(const std::string& name) {
  std::vector<std::uint8_t> out{0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0};
  for (std::size_t at = 0; at < name.size();) {
    const auto end = std::min(name.find('.', at), name.size());
    out.push_back(static_cast<std::uint8_t>(end - at));
    out.insert(out.end(), name.begin() + static_cast<std::ptrdiff_t>(at),
               name.begin() + static_cast<std::ptrdiff_t>(end));
    at = end + 1;
  }
  out.insert(out.end(), {0, 0, 1, 0, 1});
  return out;
}

std::unique_ptr<lane> open_lane(std::uint16_t port) {
  auto made = std::make_unique<lane>();
  made->fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  const int room = 4 << 20;
  ::setsockopt(made->fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(made->fd, reinterpret_cast<sockaddr*>(&to), sizeof to) != 0)
    throw std::runtime_error("no socket for the load");
  return made;
}

class load {
 public:
  load(std::uint16_t port, const std::string& name, const std::string& address) : packet_(question(name)) {
    in_addr parsed{};
    ::inet_pton(AF_INET, address.c_str(), &parsed);
    std::memcpy(address_.data(), &parsed, 4);
    for (std::size_t i = 0; i < socket_count; ++i) lanes_.push_back(open_lane(port));
  }

  load_result run(unsigned per_second, std::chrono::seconds how_long) {
    std::thread receiver([this] { receive(); });
    send(per_second, how_long);
    const auto deadline = clock::now() + std::chrono::seconds{2};
    while (result_.answered < result_.sent && clock::now() < deadline)
      std::this_thread::sleep_for(std::chrono::milliseconds{1});
    done_ = true;
    receiver.join();
    return summed_up();
  }

 private:
  std::int64_t since_start() const { return (clock::now() - start_).count() + 1; }

  void send(unsigned per_second, std::chrono::seconds how_long) {
    const std::uint64_t total = std::uint64_t{per_second} * static_cast<std::uint64_t>(how_long.count());
    for (std::uint64_t i = 0; i < total; ++i) {
      const auto due = start_ + std::chrono::nanoseconds{1'000'000'000 * i / per_second};
      const auto behind = clock::now() - due;
      // Eight at a time: a sleep for each would be slower than the load.
      if (i % 8 == 0 && behind < std::chrono::nanoseconds{0}) std::this_thread::sleep_until(due);
      if (behind > std::chrono::milliseconds{5}) ++result_.late_sends;
      auto& on = *lanes_[i % lanes_.size()];
      const auto id = on.next_id++;
      packet_[0] = static_cast<std::uint8_t>(id >> 8);
      packet_[1] = static_cast<std::uint8_t>(id & 0xff);
      on.asked_at[id] = since_start();
      if (::send(on.fd, packet_.data(), packet_.size(), 0) > 0) ++sent_;
    }
    result_.sent = sent_;
  }

  void receive() {
    std::vector<pollfd> waits;
    for (const auto& one : lanes_) waits.push_back({one->fd, POLLIN, 0});
    while (!done_) {
      ::poll(waits.data(), waits.size(), 10);
      for (std::size_t i = 0; i < waits.size(); ++i)
        if (waits[i].revents & POLLIN) drain(*lanes_[i]);
    }
  }

  void drain(lane& on) {
    std::array<std::uint8_t, 1500> answer;
    for (;;) {
      const auto size = ::recv(on.fd, answer.data(), answer.size(), MSG_DONTWAIT);
      if (size < 12) return;
      const auto id = static_cast<std::size_t>(answer[0] << 8 | answer[1]);
      const auto asked = on.asked_at[id].exchange(0);
      if (asked == 0) continue;
      took_.push_back(since_start() - asked);
      ++result_.answered;
      const std::uint8_t* const first = answer.data();
      const std::uint8_t* const last = first + size;
      if (std::search(first, last, address_.begin(), address_.end()) == last) ++result_.wrong;
    }
  }

  load_result summed_up() {
    std::ranges::sort(took_);
    const auto at = [this](double share) {
      if (took_.empty()) return std::chrono::microseconds{0};
      const auto index =
          std::min(took_.size() - 1, static_cast<std::size_t>(share * static_cast<double>(took_.size())));
      return std::chrono::microseconds{took_[index] / 1000};
    };
    load_result made;
    made.sent = result_.sent;
    made.answered = result_.answered;
    made.wrong = result_.wrong;
    made.late_sends = result_.late_sends;
    made.p50 = at(0.5);
    made.p999 = at(0.999);
    made.worst = at(1.0);
    return made;
  }

  struct counts {
    std::atomic<std::uint64_t> sent{0}, answered{0}, wrong{0}, late_sends{0};
  };

  std::vector<std::uint8_t> packet_;
  std::array<std::uint8_t, 4> address_{};
  std::vector<std::unique_ptr<lane>> lanes_;
  clock::time_point start_ = clock::now();
  std::atomic<bool> done_{false};
  std::uint64_t sent_ = 0;
  counts result_;
  std::vector<std::int64_t> took_;  // the receiver's, until it has ended
};

}  // namespace

load_result ask_at_rate(std::uint16_t port, const std::string& name, const std::string& address,
                        unsigned per_second, std::chrono::seconds how_long) {
  return load(port, name, address).run(per_second, how_long);
}

}  // namespace egress::test
