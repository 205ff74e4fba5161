#include "actors/dns/io/tcp_connection.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace egress::dns {

namespace asio = boost::asio;
using boost::system::error_code;
using std::chrono::steady_clock;

namespace {

// A client that sends its messages in parts keeps this much for them; the rest goes back when it is idle.
constexpr std::size_t kept_room = 1024;

void release_if_large(std::vector<std::uint8_t>& empty) {
  if (empty.capacity() > kept_room) std::vector<std::uint8_t>().swap(empty);
}

bool again(int error) {
  return error == EAGAIN || error == EWOULDBLOCK || error == EINTR;
}

}  // namespace

tcp_connection::tcp_connection(asio::io_context& context, unique_fd socket, const asked_by& by,
                               query_service& service, tcp_buffers& buffers, const tcp_limits& limits,
                               closed_call on_closed, crowded_call on_crowded)
    : socket_(context, socket.get()),
      by_(by),
      service_(service),
      buffers_(buffers),
      limits_(limits),
      on_closed_(std::move(on_closed)),
      on_crowded_(std::move(on_crowded)) {
  socket.release();
}

void tcp_connection::start() {
  const int on = 1;
  ::setsockopt(socket_.native_handle(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  renew_read_time();
  go_on();
}

void tcp_connection::stop() {
  if (closed_) return;
  if (!unsent_.empty())
    ::send(socket_.native_handle(), unsent_.data(), unsent_.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  close();
}

void tcp_connection::close_if_late(steady_clock::time_point now) {
  const bool stuck = !unsent_.empty() && now >= write_by_;
  const bool silent = unsent_.empty() && forwarded_ == 0 && now >= read_by_;
  if (stuck || silent) close();
}

std::optional<steady_clock::time_point> tcp_connection::idle_since() const {
  if (!unsent_.empty() || forwarded_ > 0 || !in_.empty()) return std::nullopt;
  return read_by_ - limits_.idle;
}

// After everything that happens: what is waited for next.
void tcp_connection::go_on() {
  if (closed_) return;
  if (half_closed_ && forwarded_ == 0 && unsent_.empty()) return close();
  if (!unsent_.empty() && !writing_) wait_to_write();
  if (may_serve() && !half_closed_ && !reading_) wait_to_read();
  count_kept();
}

// Last of all that is done here: it may close this connection, or others.
void tcp_connection::count_kept() {
  const auto before = std::exchange(kept_, in_.capacity() + unsent_.capacity());
  buffers_.kept += kept_ - before;
  if (kept_ > before && buffers_.kept > limits_.kept) on_crowded_();
}

void tcp_connection::wait_to_read() {
  reading_ = true;
  socket_.async_wait(asio::posix::stream_descriptor::wait_read, [self = shared_from_this()](error_code) {
    self->reading_ = false;
    if (!self->closed_ && self->may_serve()) self->read();
    self->go_on();
  });
}

void tcp_connection::wait_to_write() {
  writing_ = true;
  socket_.async_wait(asio::posix::stream_descriptor::wait_write, [self = shared_from_this()](error_code) {
    self->writing_ = false;
    if (!self->closed_) self->send_kept();
    self->go_on();
  });
}

// Once, and not until the socket is empty: the other clients want their turn.
void tcp_connection::read() {
  const auto got = ::recv(socket_.native_handle(), buffers_.in.data(), buffers_.in.size(), MSG_DONTWAIT);
  if (got < 0 && again(errno)) return;
  if (got < 0) return close();
  half_closed_ = got == 0;
  const bytes chunk = bytes(buffers_.in).first(static_cast<std::size_t>(got));
  if (!in_.empty()) {
    in_.insert(in_.end(), chunk.begin(), chunk.end());
    return serve_kept();
  }
  by_.arrived = steady_clock::now();
  const auto rest = chunk.subspan(serve(chunk));
  in_.assign(rest.begin(), rest.end());
  renew_read_time();
}

void tcp_connection::serve_kept() {
  by_.arrived = steady_clock::now();
  const std::size_t served = serve(in_);
  in_.erase(in_.begin(), in_.begin() + static_cast<std::ptrdiff_t>(served));
  // A message that comes drop by drop has the time of one.
  if (served > 0) renew_read_time();
  if (in_.empty()) release_if_large(in_);
}

// Answers the whole messages that `from` begins with, as far as limits let it, and gives their size.
std::size_t tcp_connection::serve(bytes from) {
  std::size_t served = 0, filled = 0;
  while (!closed_ && may_serve()) {
    std::array<bytes, query_service::together> messages;
    std::size_t count = 0;
    for (std::size_t at = served; count < messages.size() && from.size() - at >= 2; ++count) {
      const std::size_t size = load16(&from[at]);
      if (from.size() - at - 2 < size) break;
      messages[count] = from.subspan(at + 2, size);
      at += 2 + size;
    }
    const std::size_t done = serve_some({messages.data(), count}, filled);
    for (std::size_t i = 0; i < done; ++i) served += 2 + messages[i].size();
    if (count < messages.size() && done == count) break;
  }
  if (filled > 0 && !closed_) send(bytes(buffers_.out).first(filled));
  if (served > 0) service_.end_batch(by_.arrived);
  return served;
}

// Appends answers to the `filled` bytes of the output buffer, which is sent when it is. How many messages
// were served.
std::size_t tcp_connection::serve_some(std::span<const bytes> messages, std::size_t& filled) {
  service_.read(messages);
  for (std::size_t i = 0; i < messages.size(); ++i) {
    if (buffers_.out.size() - filled < tcp_buffers::frame)
      send(bytes(buffers_.out).first(std::exchange(filled, 0)));
    if (closed_ || !may_serve()) return i;
    const auto out = buffer(buffers_.out).subspan(filled);
    const std::size_t size = service_.serve(i, by_, out.subspan(2, max_message), [this]() -> reply_sink {
      ++forwarded_;
      return [weak = weak_from_this()](bytes answer) {
        if (const auto self = weak.lock()) self->later_answer(answer);
      };
    });
    if (size == 0) continue;
    store16(out.data(), size);
    filled += 2 + size;
  }
  return messages.size();
}

// Never comes while a query is served, so the output buffer is free.
void tcp_connection::later_answer(bytes answer) {
  if (closed_) return;
  --forwarded_;
  store16(buffers_.out.data(), answer.size());
  std::memcpy(&buffers_.out[2], answer.data(), answer.size());
  send(bytes(buffers_.out).first(2 + answer.size()));
  if (in_.empty()) renew_read_time();
  // What waited for room to be served.
  if (!closed_ && !in_.empty()) serve_kept();
  go_on();
}

// What the kernel does not take at once waits.
void tcp_connection::send(bytes answers) {
  if (unsent_.empty()) {
    const auto took =
        ::send(socket_.native_handle(), answers.data(), answers.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (took < 0 && !again(errno)) return close();
    if (took > 0) answers = answers.subspan(static_cast<std::size_t>(took));
  }
  const bool first = unsent_.empty();
  if (unsent_.size() + answers.size() > limits_.unread) return close();
  unsent_.insert(unsent_.end(), answers.begin(), answers.end());
  if (first && !unsent_.empty()) renew_write_time();
}

void tcp_connection::send_kept() {
  const auto took =
      ::send(socket_.native_handle(), unsent_.data(), unsent_.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (took < 0 && !again(errno)) return close();
  const auto gone = static_cast<std::size_t>(std::max<ssize_t>(took, 0));
  unsent_.erase(unsent_.begin(), unsent_.begin() + static_cast<std::ptrdiff_t>(gone));
  due_ -= std::min(due_, gone);
  if (due_ == 0) renew_write_time();
  if (!unsent_.empty()) return;
  release_if_large(unsent_);
  renew_read_time();
  serve_kept();
}

// A message that has begun must come soon; between two there is time.
void tcp_connection::renew_read_time() {
  read_by_ = steady_clock::now() + (in_.empty() ? limits_.idle : limits_.read);
}

// What waits now must be gone by then, whatever comes behind it.
void tcp_connection::renew_write_time() {
  due_ = unsent_.size();
  write_by_ = steady_clock::now() + limits_.write;
}

void tcp_connection::close() {
  if (closed_) return;
  closed_ = true;
  error_code ignored;
  socket_.close(ignored);
  buffers_.kept -= std::exchange(kept_, 0);
  if (const auto call = std::exchange(on_closed_, nullptr)) call(shared_from_this());
}

}  // namespace egress::dns
