#include "tests/support/mixed_load.hpp"

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <stdexcept>

#include "runtime/net/unique_fd.hpp"

namespace egress::test {
namespace {

using clock = std::chrono::steady_clock;
using std::chrono::microseconds;
using std::chrono::milliseconds;

constexpr std::size_t lanes_of_a_kind = 4, batch = 32, room = 512;
constexpr std::size_t latency_buckets = 40'000;
constexpr microseconds bucket{50};
constexpr milliseconds slice_length{100};

// Header, and the question for the A record of a name with eight digits first, or of example.com.
constexpr std::array<std::uint8_t, 12> header{0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0};
constexpr char fresh_name[] = "\01000000000\5fresh\4test\0\0\1\0\1";
constexpr char hijacked_name[] = "\7example\3com\0\0\1\0\1";

std::size_t write_question(std::array<std::uint8_t, room>& out, std::uint16_t id, bool hijacked,
                           std::uint64_t number) {
  std::ranges::copy(header, out.begin());
  out[0] = static_cast<std::uint8_t>(id >> 8);
  out[1] = static_cast<std::uint8_t>(id & 0xff);
  const std::size_t size = hijacked ? sizeof hijacked_name - 1 : sizeof fresh_name - 1;
  std::memcpy(&out[header.size()], hijacked ? hijacked_name : fresh_name, size);
  for (std::size_t digit = 0; !hijacked && digit < 8; ++digit, number /= 10)
    out[header.size() + 8 - digit] = static_cast<std::uint8_t>('0' + number % 10);
  return header.size() + size;
}

}  // namespace

load_figures::load_figures() : latencies(latency_buckets + 1) {}

microseconds load_figures::percentile(double part) const {
  auto left = static_cast<std::uint64_t>(static_cast<double>(answered) * part);
  for (std::size_t at = 0; at < latencies.size(); ++at) {
    if (latencies[at] > left) return static_cast<std::int64_t>(at + 1) * bucket;
    left -= latencies[at];
  }
  return static_cast<std::int64_t>(latencies.size()) * bucket;
}

// One socket, with questions of one kind.
struct mixed_load::lane {
  unique_fd fd;
  bool hijacked = false;
  std::vector<clock::time_point> asked_at = std::vector<clock::time_point>(65536);  // by id
  std::uint16_t next = 0;
  std::array<std::array<std::uint8_t, room>, batch> data;
  std::array<iovec, batch> parts{};
  std::array<mmsghdr, batch> messages{};

  lane(std::uint16_t port, bool of_hijacked)
      : fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)), hijacked(of_hijacked) {
    const int much = 4 << 20;
    ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUF, &much, sizeof much);
    ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUFFORCE, &much, sizeof much);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(fd.get(), reinterpret_cast<sockaddr*>(&to), sizeof to) != 0)
      throw std::runtime_error("no socket for the load");
    for (std::size_t i = 0; i < batch; ++i) {
      parts[i].iov_base = data[i].data();
      messages[i].msg_hdr.msg_iov = &parts[i];
      messages[i].msg_hdr.msg_iovlen = 1;
    }
  }
};

class mixed_load::run {
 public:
  run(mixed_load& with, milliseconds how_long) : load_(with), end_(began_ + how_long) {}

  bool sending() const { return clock::now() < end_; }
  double elapsed() const { return std::chrono::duration<double>(clock::now() - began_).count(); }
  std::uint64_t sent() const { return result_.sent(); }
  std::size_t in_flight() const { return in_flight_; }
  void give_up_on_the_rest() { in_flight_ = 0; }

  // Whether anything came.
  bool receive() {
    bool any = false;
    for (auto& one : load_.lanes_)
      while (const auto got = receive_batch(*one)) {
        any = true;
        if (got < batch) break;
      }
    return any;
  }
  void send(std::size_t count) {
    for (; count > 0; count -= std::min(count, batch)) send_batch(std::min(count, batch));
  }
  void wait(microseconds longest) const {
    std::array<pollfd, 2 * lanes_of_a_kind> all{};
    for (std::size_t i = 0; i < all.size(); ++i) all[i] = {load_.lanes_[i]->fd.get(), POLLIN, 0};
    const timespec time{0, std::chrono::nanoseconds(longest).count()};
    ::ppoll(all.data(), all.size(), &time, nullptr);
  }
  mixed_result finish(milliseconds patience) {
    result_.seconds = elapsed();
    for (const auto until = clock::now() + patience; in_flight_ > 0 && clock::now() < until;)
      if (!receive()) wait(milliseconds{1});
    return std::move(result_);
  }

 private:
  load_figures& of(const lane& on) { return on.hijacked ? result_.hijacked : result_.forwarded; }
  load_slice& slice_of(clock::time_point sent) {
    const auto at = static_cast<std::size_t>((sent - began_) / slice_length);
    if (result_.slices.size() <= at) result_.slices.resize(at + 1);
    return result_.slices[at];
  }

  std::size_t receive_batch(lane& on) {
    for (auto& part : on.parts) part.iov_len = room;
    const int got = ::recvmmsg(on.fd.get(), on.messages.data(), batch, MSG_DONTWAIT, nullptr);
    const auto now = clock::now();
    for (int i = 0; i < got; ++i) take(on, on.data[static_cast<std::size_t>(i)], now);
    return static_cast<std::size_t>(std::max(got, 0));
  }
  void take(lane& on, const std::array<std::uint8_t, room>& answer, clock::time_point now) {
    const auto sent = std::exchange(on.asked_at[static_cast<std::size_t>(answer[0] << 8 | answer[1])], {});
    if (sent < began_) return;  // of an earlier run, or nobody's
    in_flight_ -= std::min<std::size_t>(in_flight_, 1);
    auto& figures = of(on);
    const unsigned code = answer[3] & 15;
    if (code != 0) return void(++(code == 5 ? figures.refused : figures.failed));
    ++figures.answered;
    const auto took = now - sent;
    ++figures.latencies[std::min(static_cast<std::size_t>(took / bucket), latency_buckets)];
    if (!on.hijacked) return;
    auto& slice = slice_of(sent);
    ++slice.answered;
    slice.worst = std::max(slice.worst, std::chrono::ceil<microseconds>(took));
  }

  // The kinds come as they must, one after the other; each is sent in a batch of its own.
  void send_batch(std::size_t count) {
    std::size_t hijacked = 0;
    for (std::size_t i = 0; i < count; ++i) hijacked += (sent() + i) % load_.one_in_ == 0 ? 1 : 0;
    turn_ = (turn_ + 1) % lanes_of_a_kind;
    send_on(*load_.lanes_[turn_], hijacked);
    send_on(*load_.lanes_[lanes_of_a_kind + turn_], count - hijacked);
    in_flight_ += count;
  }
  void send_on(lane& on, std::size_t count) {
    if (count == 0) return;
    const auto now = clock::now();
    for (std::size_t i = 0; i < count; ++i) {
      const auto id = on.next++;
      on.asked_at[id] = now;
      on.parts[i].iov_len = write_question(on.data[i], id, on.hijacked, on.hijacked ? 0 : ++load_.names_);
    }
    for (std::size_t done = 0; done < count;) {
      const int took = ::sendmmsg(on.fd.get(), &on.messages[done], static_cast<unsigned>(count - done), 0);
      if (took <= 0) break;
      done += static_cast<std::size_t>(took);
    }
    of(on).sent += count;
    if (on.hijacked) slice_of(now).sent += count;
  }

  mixed_load& load_;
  clock::time_point began_ = clock::now(), end_;
  mixed_result result_;
  std::size_t in_flight_ = 0, turn_ = 0;
};

mixed_load::mixed_load(std::uint16_t port, unsigned one_in) : one_in_(one_in) {
  for (const bool hijacked : {true, false})
    for (std::size_t i = 0; i < lanes_of_a_kind; ++i)
      lanes_.push_back(std::make_unique<lane>(port, hijacked));
}

mixed_load::~mixed_load() = default;

mixed_result mixed_load::closed(std::size_t window, milliseconds how_long) {
  run now(*this, how_long);
  auto moved_at = clock::now();
  while (now.sending()) {
    if (now.receive()) moved_at = clock::now();
    if (clock::now() - moved_at > std::chrono::seconds{1}) now.give_up_on_the_rest();
    const auto free = window - std::min(window, now.in_flight());
    if (free * 8 >= window)
      now.send(free);
    else
      now.wait(milliseconds{10});
  }
  return now.finish(std::chrono::seconds{1});
}

mixed_result mixed_load::open(double per_second, milliseconds how_long, milliseconds patience) {
  run now(*this, how_long);
  while (now.sending()) {
    now.receive();
    const auto due = static_cast<std::uint64_t>(now.elapsed() * per_second);
    // Some at a time, as a network card does it; a slow load is not made to wait for them.
    const bool enough = due >= now.sent() + std::min(16.0, per_second / 1000);
    if (enough && due > now.sent())
      now.send(std::min<std::size_t>(due - now.sent(), 4 * batch));
    else
      now.wait(microseconds{200});
  }
  return now.finish(patience);
}

}  // namespace egress::test
