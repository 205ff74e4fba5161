#pragma once
// A running worker on loopback, a client for it, and an upstream that answers as a test says.

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <atomic>
#include <cstring>
#include <mutex>
#include <thread>

#include "actors/dns/io/worker.hpp"
#include "tests/unit/dns/reply_reader.hpp"
#include "tests/unit/dns/support.hpp"

namespace egress::dns::test {

inline constexpr int patience_ms = 10'000;

inline sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  at.sin_port = htons(port);
  return at;
}
inline sockaddr_in6 loopback_ipv6(std::uint16_t port) {
  sockaddr_in6 at{};
  at.sin6_family = AF_INET6;
  at.sin6_addr = in6addr_loopback;
  at.sin6_port = htons(port);
  return at;
}
template <class Address>
const sockaddr* generic(const Address& at) {
  return reinterpret_cast<const sockaddr*>(&at);
}

inline bool readable(int fd, int wait_ms = patience_ms) {
  pollfd want{.fd = fd, .events = POLLIN, .revents = 0};
  return ::poll(&want, 1, wait_ms) == 1;
}

// A UDP client.
class udp_client {
 public:
  // Connected: what comes from another address than the one that is asked is not received. `host` is the last
  // byte of one in 127.0.0.0/24.
  explicit udp_client(std::uint16_t port, std::uint8_t host = 1) : udp_client(unconnected{AF_INET}) {
    auto at = loopback(port);
    at.sin_addr.s_addr = htonl((INADDR_LOOPBACK & ~0xffu) | host);
    EXPECT_EQ(::connect(fd_.get(), generic(at), sizeof at), 0);
  }
  static udp_client over_ipv6(std::uint16_t port) {
    udp_client made(unconnected{AF_INET6});
    const auto at = loopback_ipv6(port);
    EXPECT_EQ(::connect(made.fd_.get(), generic(at), sizeof at), 0);
    return made;
  }
  void send(const packet& p) const {
    EXPECT_EQ(::send(fd_.get(), p.data(), p.size(), 0), static_cast<ssize_t>(p.size()));
  }
  // The next answer; empty when none comes.
  packet receive(int wait_ms = patience_ms) const {
    packet p(4096);
    if (!readable(fd_.get(), wait_ms)) return {};
    const auto got = ::recv(fd_.get(), p.data(), p.size(), 0);
    p.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    return p;
  }
  reply ask_for(const ask& what) const {
    send(what.make());
    const auto p = receive();
    EXPECT_FALSE(p.empty()) << "no answer for " << what.name;
    return p.empty() ? reply{} : read_reply(p);
  }
  int fd() const { return fd_.get(); }

 private:
  struct unconnected {
    int family;
  };
  explicit udp_client(unconnected how) : fd_(::socket(how.family, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    // Room for a burst of answers: what a client loses must not look like our loss.
    const int room = 1 << 20;
    EXPECT_EQ(::setsockopt(fd_.get(), SOL_SOCKET, SO_RCVBUF, &room, sizeof room), 0);
  }
  unique_fd fd_;
};

// A DNS server on loopback that does with each query what the script says: the packets to send back. It has a
// thread of its own, until it goes.
class scripted_upstream {
 public:
  using script = std::function<std::vector<packet>(const packet& asked, transport via)>;

  // Without TCP connections are refused.
  explicit scripted_upstream(script what, bool with_tcp = true) : script_(std::move(what)) {
    auto opened = open_dns_sockets("127.0.0.1:0", 1);
    EXPECT_TRUE(opened);
    port_ = opened->port;
    sockets_ = std::move(opened->workers[0]);
    if (!with_tcp) sockets_.tcp = {};
    thread_ = std::thread([this] { run(); });
  }
  ~scripted_upstream() {
    stop_ = true;
    thread_.join();
  }
  upstream_address address() const { return {boost::asio::ip::address_v4::loopback(), port_}; }
  int asked() const { return asked_; }
  // The port that the last question over UDP came from: what a script is called with is from there.
  std::uint16_t asked_from() const { return asked_from_; }
  // Over TCP.
  int connections() const { return connections_; }
  std::size_t open_connections() const { return open_; }
  void close_after_each_answer() { one_answer_a_connection_ = true; }

 private:
  void run() {
    while (!stop_) {
      std::vector<pollfd> want{{.fd = sockets_.udp.get(), .events = POLLIN, .revents = 0},
                               {.fd = sockets_.tcp.get(), .events = POLLIN, .revents = 0}};
      for (const auto& one : accepted_) want.push_back({.fd = one.get(), .events = POLLIN, .revents = 0});
      if (::poll(want.data(), want.size(), 20) <= 0) continue;
      if (want[0].revents != 0) serve_udp();
      for (std::size_t i = want.size() - 1; i >= 2; --i)
        if (want[i].revents != 0 && !serve_tcp(want[i].fd))
          accepted_.erase(accepted_.begin() + static_cast<std::ptrdiff_t>(i - 2));
      if (want[1].revents != 0) accept();
      open_ = accepted_.size();
    }
  }
  void accept() {
    accepted_.emplace_back(::accept4(sockets_.tcp.get(), nullptr, nullptr, SOCK_CLOEXEC));
    ++connections_;
  }
  void serve_udp() {
    sockaddr_in from{};
    socklen_t size = sizeof from;
    packet p(4096);
    const auto got = ::recvfrom(sockets_.udp.get(), p.data(), p.size(), MSG_DONTWAIT,
                                reinterpret_cast<sockaddr*>(&from), &size);
    if (got <= 0) return;
    p.resize(static_cast<std::size_t>(got));
    asked_from_ = ntohs(from.sin_port);
    ++asked_;
    for (const auto& answer : script_(p, transport::udp))
      ::sendto(sockets_.udp.get(), answer.data(), answer.size(), 0, generic(from), size);
  }
  // False: the connection is over.
  bool serve_tcp(int fd) {
    packet length(2);
    if (::recv(fd, length.data(), 2, MSG_WAITALL) != 2) return false;
    packet p(load16(length.data()));
    if (::recv(fd, p.data(), p.size(), MSG_WAITALL) != static_cast<ssize_t>(p.size())) return false;
    ++asked_;
    for (const auto& answer : script_(p, transport::tcp)) {
      packet framed;
      put16(framed, static_cast<unsigned>(answer.size()));
      framed.insert(framed.end(), answer.begin(), answer.end());
      ::send(fd, framed.data(), framed.size(), MSG_NOSIGNAL);
    }
    return !one_answer_a_connection_;
  }

  script script_;
  worker_sockets sockets_;
  std::uint16_t port_ = 0;
  std::atomic<bool> stop_ = false;
  std::atomic<bool> one_answer_a_connection_ = false;
  std::atomic<int> asked_ = 0, connections_ = 0;
  std::atomic<std::uint16_t> asked_from_ = 0;
  std::atomic<std::size_t> open_ = 0;
  std::vector<unique_fd> accepted_;
  std::thread thread_;
};

// Whether it becomes true soon.
template <class Condition>
bool becomes_true(Condition&& condition) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds{patience_ms};
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    // Who spins takes the processor from those that it waits for.
    std::this_thread::sleep_for(std::chrono::milliseconds{1});
  }
  return true;
}

// The reply to a query: this code, and an address record of it when there is one.
inline packet answer_to(const packet& asked, unsigned code = 0, packet address = {192, 0, 2, 1},
                        unsigned extra_flags = 0) {
  query q;
  parse_query(asked, q);
  packet p(asked.begin(), asked.begin() + header_size + q.question_size);
  store16(&p[2], flag::qr | flag::rd | flag::ra | extra_flags | code);
  store16(&p[6], address.empty() ? 0u : 1u);
  store16(&p[10], 0);
  if (address.empty()) return p;
  for (const unsigned field :
       {0xc00cu, unsigned{q.type}, 1u, 0u, 300u, static_cast<unsigned>(address.size())})
    put16(p, field);
  p.insert(p.end(), address.begin(), address.end());
  return p;
}

// Sockets that stay, and a worker on them that can be replaced.
struct served {
  explicit served(std::vector<upstream_address> upstreams = {}, std::size_t workers = 1,
                  const std::string& address = "127.0.0.1:0") {
    auto opened = open_dns_sockets(address, workers);
    EXPECT_TRUE(opened);
    port = opened->port;
    ipv6 = opened->address.starts_with('[');
    sockets = std::make_shared<const std::vector<worker_sockets>>(std::move(opened->workers));
    config.allow = client_acl::parse({}).value();
    config.upstreams.assign(upstreams.begin(), upstreams.end());
    config.forward.least = std::chrono::milliseconds{50};
    config.forward.most = std::chrono::milliseconds{100};
    config.forward.budget = std::chrono::milliseconds{600};
  }
  // For tests in which an answer comes: a machine that is busy elsewhere must not look like an upstream that
  // is silent.
  void be_patient() {
    config.forward.least = config.forward.most = std::chrono::seconds{5};
    config.forward.budget = std::chrono::seconds{10};
  }
  std::unique_ptr<worker> make(std::size_t index = 0) {
    auto made = std::make_unique<worker>(sockets, index, config, counters);
    made->set_table(table);
    made->start([](const std::string&) {});
    return made;
  }
  std::shared_ptr<const std::vector<worker_sockets>> sockets;
  std::uint16_t port = 0;
  bool ipv6 = false;  // an IPv6 socket, IPv4 mapped into it
  worker_config config;
  std::shared_ptr<const hijack_table> table = sample_table();
  std::shared_ptr<worker_counters> counters = std::make_shared<worker_counters>();
};

}  // namespace egress::dns::test
