#include "actors/dns/io/udp_listener.hpp"

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <boost/asio/post.hpp>
#include <cerrno>
#include <cstring>
#include <span>
#include <stdexcept>

namespace egress::dns {

namespace {

constexpr std::size_t batch_size = 64;
// After so many batches the loop looks at its other work (timers, forwarded replies, TCP, stop).
constexpr int batches_in_a_row = 16;
// Larger than any sensible query; what is longer comes cut, and is FORMERR for it.
constexpr std::size_t query_room = 2048;
constexpr int send_patience_ms = 5;

}  // namespace

// Whom a datagram came from, and which of our addresses it was sent to (the control message of pktinfo).
struct datagram_peer {
  sockaddr_storage address;
  socklen_t address_size;
  alignas(cmsghdr) std::array<std::uint8_t, 64> control;
  std::size_t control_size;
};

struct udp_listener::batch {
  std::array<mmsghdr, batch_size> in, out;
  std::array<iovec, batch_size> in_vector, out_vector;
  std::array<datagram_peer, batch_size> peers;
  std::array<std::array<std::uint8_t, query_room>, batch_size> queries;
  std::array<std::array<std::uint8_t, edns_udp_size>, batch_size> answers;
  std::size_t answered = 0;

  batch() {
    std::memset(in.data(), 0, sizeof in);
    std::memset(out.data(), 0, sizeof out);
    std::memset(peers.data(), 0, sizeof peers);
    for (std::size_t i = 0; i < batch_size; ++i) {
      in_vector[i] = {queries[i].data(), query_room};
      in[i].msg_hdr.msg_iov = &in_vector[i];
      in[i].msg_hdr.msg_iovlen = 1;
      in[i].msg_hdr.msg_name = &peers[i].address;
      in[i].msg_hdr.msg_control = peers[i].control.data();
      out[i].msg_hdr.msg_iov = &out_vector[i];
      out[i].msg_hdr.msg_iovlen = 1;
    }
    rearm(batch_size);
  }

  // The kernel overwrote the sizes of the first with what it filled in.
  void rearm(std::size_t used) {
    for (auto& message : std::span(in).first(used)) {
      message.msg_hdr.msg_namelen = sizeof(sockaddr_storage);
      message.msg_hdr.msg_controllen = sizeof(peers[0].control);
    }
  }
};

namespace {

address_bytes client_of(const datagram_peer& peer) {
  if (peer.address.ss_family == AF_INET) {
    sockaddr_in v4;
    std::memcpy(&v4, &peer.address, sizeof v4);
    return map_v4(reinterpret_cast<const std::uint8_t*>(&v4.sin_addr));
  }
  address_bytes bytes{};
  sockaddr_in6 v6;
  std::memcpy(&v6, &peer.address, sizeof v6);
  std::memcpy(bytes.data(), &v6.sin6_addr, bytes.size());
  return bytes;
}

bool is_mapped_v4(const address_bytes& address) {
  return address[10] == 0xff && address[11] == 0xff &&
         std::memcmp(address.data(), address_bytes{}.data(), 10) == 0;
}

// Port 0 cannot be answered.
bool has_port(const datagram_peer& peer) {
  std::uint16_t port = 0;
  std::memcpy(&port, reinterpret_cast<const char*>(&peer.address) + offsetof(sockaddr_in, sin_port), 2);
  return port != 0;
}

template <class Info, class Index>
void clear_interface(cmsghdr& message, Index Info::* index) {
  Info info;
  std::memcpy(&info, CMSG_DATA(&message), sizeof info);
  info.*index = 0;
  std::memcpy(CMSG_DATA(&message), &info, sizeof info);
}

// The answer leaves from the address that was asked, by whatever interface routing wants. (To a link-local
// client the scope of its own address says which.)
void forget_interface(datagram_peer& peer) {
  msghdr header{};
  header.msg_control = peer.control.data();
  header.msg_controllen = peer.control_size;
  for (cmsghdr* next = CMSG_FIRSTHDR(&header); next != nullptr; next = CMSG_NXTHDR(&header, next)) {
    if (next->cmsg_level == IPPROTO_IP && next->cmsg_type == IP_PKTINFO)
      clear_interface(*next, &in_pktinfo::ipi_ifindex);
    if (next->cmsg_level == IPPROTO_IPV6 && next->cmsg_type == IPV6_PKTINFO)
      clear_interface(*next, &in6_pktinfo::ipi6_ifindex);
  }
}

void address_to(msghdr& header, const datagram_peer& peer) {
  // sendmsg only reads what these point to.
  header.msg_name = const_cast<sockaddr_storage*>(&peer.address);
  header.msg_namelen = peer.address_size;
  header.msg_control = peer.control_size == 0 ? nullptr : const_cast<std::uint8_t*>(peer.control.data());
  header.msg_controllen = peer.control_size;
}

// Waits a moment for room in the send buffer. False when there is none.
bool wait_for_room(int fd) {
  pollfd want{.fd = fd, .events = POLLOUT, .revents = 0};
  return ::poll(&want, 1, send_patience_ms) == 1;
}

bool has_datagram(int fd) {
  pollfd want{.fd = fd, .events = POLLIN, .revents = 0};
  return ::poll(&want, 1, 0) != 0;
}

bool is_full(int error) {
  return error == EAGAIN || error == EWOULDBLOCK || error == ENOBUFS;
}

}  // namespace

udp_listener::udp_listener(boost::asio::io_context& context, unique_fd socket, query_service& service,
                           worker_counters& counters)
    : context_(context),
      socket_(context, socket.release()),
      service_(service),
      counters_(counters),
      batch_(std::make_unique<batch>()) {}

udp_listener::~udp_listener() = default;

void udp_listener::start() {
  wait();
}

void udp_listener::stop() {
  stopped_ = true;
  send_answers();
  boost::system::error_code ignored;
  socket_.cancel(ignored);
}

void udp_listener::wait() {
  socket_.async_wait(boost::asio::posix::descriptor_base::wait_read,
                     [self = shared_from_this()](boost::system::error_code failed) {
                       if (self->stopped_) return;
                       if (failed) throw std::runtime_error("waiting for DNS over UDP: " + failed.message());
                       self->serve_batches();
                       self->wait();
                     });
}

void udp_listener::serve_batches() {
  for (int i = 0; i < batches_in_a_row; ++i)
    if (!serve_batch()) return;
  // A burst may have ended just here, and a later one would be taken for the rest of it.
  if (!has_datagram(socket_.native_handle())) queue_.found_empty();
}

// Whether the socket may have more.
bool udp_listener::serve_batch() noexcept {
  send_answers();
  const int got = ::recvmmsg(socket_.native_handle(), batch_->in.data(), batch_size, MSG_DONTWAIT, nullptr);
  if (got <= 0) {
    queue_.found_empty();
    return false;
  }
  const auto now = std::chrono::steady_clock::now();
  hurried_ = queue_.stands(static_cast<std::size_t>(got) == batch_size, now);
  for (std::size_t i = 0; i < static_cast<std::size_t>(got); i += query_service::together)
    answer(i, std::min(static_cast<std::size_t>(got) - i, query_service::together), now);
  send_answers();
  batch_->rearm(static_cast<std::size_t>(got));
  service_.end_batch(now);
  return static_cast<std::size_t>(got) == batch_size;
}

void udp_listener::answer(std::size_t first, std::size_t count, std::chrono::steady_clock::time_point now) {
  std::array<bytes, query_service::together> packets;
  for (std::size_t i = 0; i < count; ++i)
    packets[i] = bytes(batch_->queries[first + i]).first(batch_->in[first + i].msg_len);
  service_.read({packets.data(), count});
  for (std::size_t i = 0; i < count; ++i) answer_one(first + i, i, now);
}

void udp_listener::answer_one(std::size_t at, std::size_t number, std::chrono::steady_clock::time_point now) {
  const mmsghdr& message = batch_->in[at];
  datagram_peer& peer = batch_->peers[at];
  peer.address_size = message.msg_hdr.msg_namelen;
  peer.control_size = message.msg_hdr.msg_controllen;
  if (!has_port(peer)) return;
  forget_interface(peer);
  const asked_by by{.client = client_of(peer),
                    .via = transport::udp,
                    .v6 = peer.address.ss_family == AF_INET6 && !is_mapped_v4(client_of(peer)),
                    .hurried = hurried_,
                    .arrived = now};
  auto& out = batch_->answers[batch_->answered];
  std::size_t size = 0;
  try {
    size = service_.serve(number, by, out, [&] { return sink_for(at); });
  } catch (...) {
    // Forwarding allocates: what there is no memory for is lost alone, not its batch.
    counters_.dropped.add();
  }
  if (size == 0) return;
  batch_->out_vector[batch_->answered] = {out.data(), size};
  address_to(batch_->out[batch_->answered].msg_hdr, peer);
  ++batch_->answered;
}

void udp_listener::send_answers() {
  const int fd = socket_.native_handle();
  for (std::size_t sent = 0; sent < batch_->answered;) {
    const auto left = static_cast<unsigned>(batch_->answered - sent);
    const int took = ::sendmmsg(fd, &batch_->out[sent], left, MSG_DONTWAIT);
    if (took > 0) {
      sent += static_cast<std::size_t>(took);
    } else if (errno != EINTR && !(is_full(errno) && wait_for_room(fd))) {
      // This one cannot be sent (no route, no room): the others may.
      counters_.send_failures.add();
      ++sent;
    }
  }
  batch_->answered = 0;
}

reply_sink udp_listener::sink_for(std::size_t at) {
  return [weak = weak_from_this(), peer = batch_->peers[at]](bytes answer) {
    if (const auto self = weak.lock()) self->send_later_answer(answer, peer);
  };
}

// Such answers come in batches, as the upstream's replies do: they leave together. Never while a batch is
// served, so its room is free.
void udp_listener::send_later_answer(bytes answer, const datagram_peer& to) {
  if (batch_->answered == batch_size) send_answers();
  const std::size_t at = batch_->answered;
  auto& out = batch_->answers[at];
  const auto size = std::min(answer.size(), out.size());  // nobody was promised more
  std::copy_n(answer.begin(), size, out.begin());
  batch_->peers[at] = to;
  batch_->out_vector[at] = {out.data(), size};
  address_to(batch_->out[at].msg_hdr, batch_->peers[at]);
  ++batch_->answered;
  if (stopped_) return send_answers();
  if (at == 0) boost::asio::post(context_, [self = shared_from_this()] { self->send_answers(); });
}

}  // namespace egress::dns
