#include "actors/dns/io/tcp_listener.hpp"

#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <stdexcept>

namespace egress::dns {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

// When descriptors have run out, accepting waits for some to be closed.
constexpr std::chrono::milliseconds out_of_descriptors{100};
// After so many, whatever else is ready has its turn.
constexpr int accepts_in_a_row = 64;

// Then the next try would fail as well, and at once.
bool is_short_of_something(int error) {
  return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

}  // namespace

tcp_listener::tcp_listener(asio::io_context& context, unique_fd socket, query_service& service,
                           const tcp_limits& limits, worker_counters& counters)
    : context_(context),
      socket_(context, socket.release()),
      retry_(context),
      watch_(context),
      service_(service),
      limits_(limits),
      counters_(counters),
      buffers_(std::make_unique_for_overwrite<tcp_buffers>()) {}

void tcp_listener::start() {
  wait();
}

void tcp_listener::stop() {
  stopped_ = true;
  error_code ignored;
  socket_.cancel(ignored);
  retry_.cancel();
  watch_.cancel();
  while (!connections_.empty()) {
    const auto next = *connections_.begin();
    next->stop();
  }
}

void tcp_listener::wait() {
  socket_.async_wait(asio::posix::stream_descriptor::wait_read,
                     [self = shared_from_this()](error_code failed) {
                       if (self->stopped_) return;
                       if (failed) throw std::runtime_error("waiting for DNS over TCP: " + failed.message());
                       self->accept_some();
                     });
}

void tcp_listener::accept_some() {
  for (int i = 0; i < accepts_in_a_row; ++i) {
    sockaddr_in6 peer{};
    socklen_t size = sizeof peer;
    unique_fd accepted(::accept4(socket_.native_handle(), reinterpret_cast<sockaddr*>(&peer), &size,
                                 SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!accepted && is_short_of_something(errno)) return wait_for_descriptors();
    if (!accepted) break;
    asked_by by;
    by.via = transport::tcp;
    if (peer.sin6_family == AF_INET6) {
      std::memcpy(by.client.data(), &peer.sin6_addr, by.client.size());
      by.v6 = !IN6_IS_ADDR_V4MAPPED(&peer.sin6_addr);
    } else {  // sin_addr lies where sin6_flowinfo does
      by.client = map_v4(reinterpret_cast<const std::uint8_t*>(&peer.sin6_flowinfo));
    }
    adopt(std::move(accepted), by);
  }
  wait();
}

void tcp_listener::wait_for_descriptors() {
  retry_.expires_after(out_of_descriptors);
  retry_.async_wait([self = shared_from_this()](error_code cancelled) {
    if (!cancelled && !self->stopped_) self->wait();
  });
}

void tcp_listener::adopt(unique_fd accepted, const asked_by& by) {
  const auto of_client = per_client_.find(by.client);
  const std::size_t theirs = of_client == per_client_.end() ? 0 : of_client->second;
  const bool too_many = theirs >= limits_.per_client, full = connections_.size() >= limits_.connections;
  if ((too_many && !end_an_idle_one(&by.client)) || (!too_many && full && !end_one_for(theirs))) {
    counters_.tcp_rejects.add();
    return;
  }
  const auto connection = std::make_shared<tcp_connection>(
      context_, std::move(accepted), by, service_, *buffers_, limits_,
      [weak = weak_from_this()](const std::shared_ptr<tcp_connection>& gone) {
        if (const auto self = weak.lock()) self->closed(gone);
      },
      [weak = weak_from_this()] {
        if (const auto self = weak.lock()) self->make_room();
      });
  connections_.insert(connection);
  ++per_client_[by.client];
  counters_.tcp_connections.add();
  counters_.tcp_open.fetch_add(1, std::memory_order_relaxed);
  connection->start();
  if (!watching_) watch();
}

void tcp_listener::watch() {
  watching_ = true;
  watch_.expires_after(std::min({limits_.read, limits_.write, limits_.idle}) / 4);
  watch_.async_wait([self = shared_from_this()](error_code cancelled) {
    self->watching_ = false;
    if (cancelled || self->stopped_) return;
    self->close_the_late();
    if (!self->connections_.empty()) self->watch();
  });
}

void tcp_listener::make_room() {
  while (buffers_->kept > limits_.kept && !connections_.empty()) {
    const auto most = *std::ranges::max_element(connections_, {}, &tcp_connection::kept);
    most->stop();
  }
}

bool tcp_listener::end_one_for(std::size_t theirs) {
  const auto now = std::chrono::steady_clock::now();
  const auto most = std::ranges::max_element(per_client_, {}, [](const auto& one) { return one.second; });
  // Who has more than the newcomer will have gives one back: a busy one only where nobody is idle.
  const bool fair = most != per_client_.end() && most->second > theirs + 1;
  auto victim = fair ? idle_longest(&most->first, now) : nullptr;
  if (!victim && now >= none_idle_until_) {
    if (end_an_idle_one(nullptr)) return true;
    none_idle_until_ = now + limits_.undisturbed / 10;
  }
  if (!victim && fair) victim = *std::ranges::find(connections_, most->first, &tcp_connection::client);
  if (victim) victim->stop();
  return victim != nullptr;
}

bool tcp_listener::end_an_idle_one(const address_bytes* of) {
  const auto longest = idle_longest(of, std::chrono::steady_clock::now() - limits_.undisturbed);
  if (longest) longest->stop();
  return longest != nullptr;
}

std::shared_ptr<tcp_connection> tcp_listener::idle_longest(const address_bytes* of, time at_least) const {
  std::shared_ptr<tcp_connection> longest;
  for (const auto& one : connections_) {
    const auto idle = one->idle_since();
    if (!idle || *idle > at_least || (of != nullptr && one->client() != *of)) continue;
    at_least = *idle;
    longest = one;
  }
  return longest;
}

void tcp_listener::close_the_late() {
  const auto now = std::chrono::steady_clock::now();
  for (auto next = connections_.begin(); next != connections_.end();) {
    const auto one = *next++;  // it may leave the set
    one->close_if_late(now);
  }
}

void tcp_listener::closed(const std::shared_ptr<tcp_connection>& connection) {
  counters_.tcp_open.fetch_sub(1, std::memory_order_relaxed);
  if (const auto at = per_client_.find(connection->client()); at != per_client_.end() && --at->second == 0)
    per_client_.erase(at);
  connections_.erase(connection);
}

}  // namespace egress::dns
