#include "actors/dns/io/tcp_listener.hpp"

#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>

namespace egress::dns {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

// When descriptors have run out, accepting waits for some to be closed.
constexpr std::chrono::milliseconds out_of_descriptors{100};

}  // namespace

tcp_listener::tcp_listener(asio::io_context& context, unique_fd socket, query_service& service,
                           const tcp_limits& limits, worker_counters& counters)
    : context_(context),
      socket_(context, socket.release()),
      retry_(context),
      service_(service),
      limits_(limits),
      counters_(counters) {}

void tcp_listener::start() {
  wait();
}

void tcp_listener::stop() {
  stopped_ = true;
  error_code ignored;
  socket_.cancel(ignored);
  retry_.cancel();
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
                       self->accept_all();
                     });
}

void tcp_listener::accept_all() {
  for (;;) {
    sockaddr_in6 peer{};
    socklen_t size = sizeof peer;
    unique_fd accepted(::accept4(socket_.native_handle(), reinterpret_cast<sockaddr*>(&peer), &size,
                                 SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!accepted) break;
    address_bytes client{};
    const bool v6 = peer.sin6_family == AF_INET6;
    if (v6)
      std::memcpy(client.data(), &peer.sin6_addr, client.size());
    else  // sin_addr lies where sin6_flowinfo does
      client = map_v4(reinterpret_cast<const std::uint8_t*>(&peer.sin6_flowinfo));
    adopt(std::move(accepted), client, v6 && !IN6_IS_ADDR_V4MAPPED(&peer.sin6_addr));
  }
  if (errno != EMFILE && errno != ENFILE) return wait();
  retry_.expires_after(out_of_descriptors);
  retry_.async_wait([self = shared_from_this()](error_code cancelled) {
    if (!cancelled && !self->stopped_) self->wait();
  });
}

void tcp_listener::adopt(unique_fd accepted, const address_bytes& client, bool v6) {
  if (connections_.size() >= limits_.connections || per_client_[client] >= limits_.per_client) {
    counters_.tcp_rejects.add();
    if (per_client_[client] == 0) per_client_.erase(client);
    return;
  }
  asio::ip::tcp::socket socket(context_);
  error_code failed;
  socket.assign(v6 ? asio::ip::tcp::v6() : asio::ip::tcp::v4(), accepted.get(), failed);
  if (failed) return;
  accepted.release();
  ++per_client_[client];
  counters_.tcp_connections.add();
  counters_.tcp_open.fetch_add(1, std::memory_order_relaxed);
  struct slot {
    std::weak_ptr<tcp_connection> connection;
  };
  const auto mine = std::make_shared<slot>();
  const auto connection = std::make_shared<tcp_connection>(
      std::move(socket), client, v6, service_, limits_, [weak = weak_from_this(), mine] {
        const auto self = weak.lock();
        if (const auto gone = mine->connection.lock(); self && gone) self->closed(gone);
      });
  mine->connection = connection;
  connections_.insert(connection);
  connection->start();
}

void tcp_listener::closed(const std::shared_ptr<tcp_connection>& connection) {
  counters_.tcp_open.fetch_sub(1, std::memory_order_relaxed);
  if (const auto at = per_client_.find(connection->client()); at != per_client_.end() && --at->second == 0)
    per_client_.erase(at);
  connections_.erase(connection);
}

}  // namespace egress::dns
