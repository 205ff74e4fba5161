#include "actors/dns/io/tcp_connection.hpp"

#include <sys/socket.h>

#include <boost/asio/write.hpp>

namespace egress::dns {

namespace asio = boost::asio;
using boost::system::error_code;
using std::chrono::steady_clock;

namespace {

// A client that does not take its answers is read no further.
constexpr std::size_t most_unsent = 256 * 1024;

}  // namespace

tcp_connection::tcp_connection(asio::ip::tcp::socket socket, address_bytes client, bool v6,
                               query_service& service, const tcp_limits& limits,
                               std::function<void()> on_closed)
    : socket_(std::move(socket)),
      timer_(socket_.get_executor()),
      client_(client),
      v6_(v6),
      service_(service),
      limits_(limits),
      on_closed_(std::move(on_closed)) {}

tcp_connection::~tcp_connection() = default;

void tcp_connection::start() {
  error_code ignored;
  socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
  rearm();
  watch();
  read();
}

void tcp_connection::stop() {
  if (closed_) return;
  // What is under way belongs to the pending write; only whole answers behind nothing can be sent here.
  if (writing_.empty() && !out_.empty())
    ::send(socket_.native_handle(), out_.data(), out_.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  close();
}

bool tcp_connection::may_read() const {
  return !closed_ && !half_closed_ && forwarded_ < limits_.pipelined &&
         out_.size() + writing_.size() < most_unsent;
}

void tcp_connection::read() {
  if (reading_ || !may_read()) return;
  reading_ = true;
  // Answers may be written, and messages served, while this read is under way: it has a buffer of its own.
  socket_.async_read_some(asio::buffer(chunk_),
                          [self = shared_from_this()](error_code failed, std::size_t got) {
                            self->reading_ = false;
                            if (self->closed_) return;
                            const auto* from = self->chunk_.data();
                            self->in_.insert(self->in_.end(), from, from + got);
                            if (failed == asio::error::eof) self->half_closed_ = true;
                            if (failed && !self->half_closed_) return self->close();
                            self->serve_messages();
                          });
}

void tcp_connection::serve_messages() {
  std::size_t at = 0;
  while (!closed_ && forwarded_ < limits_.pipelined && out_.size() + writing_.size() < most_unsent) {
    if (in_.size() - at < 2) break;
    const std::size_t size = load16(&in_[at]);
    if (in_.size() - at - 2 < size) break;
    serve_message(bytes(in_.data() + at + 2, size));
    at += 2 + size;
  }
  if (closed_) return;
  in_.erase(in_.begin(), in_.begin() + static_cast<std::ptrdiff_t>(at));
  rearm();
  write();
  if (half_closed_ && forwarded_ == 0 && out_.empty() && writing_.empty()) return close();
  read();
}

void tcp_connection::serve_message(bytes message) {
  std::array<std::uint8_t, max_message>
      out;  // left as it is: a page that nothing is written to costs nothing
  const asked_by by{.client = client_, .via = transport::tcp, .v6 = v6_, .arrived = steady_clock::now()};
  const std::size_t size = service_.serve(message, by, out, [this]() -> reply_sink {
    ++forwarded_;
    return [weak = weak_from_this()](bytes answer) {
      if (const auto self = weak.lock()) self->later_answer(answer);
    };
  });
  if (size != 0) append(bytes(out).first(size));
}

void tcp_connection::append(bytes answer) {
  const std::size_t size = answer.size();
  out_.insert(out_.end(), {static_cast<std::uint8_t>(size >> 8), static_cast<std::uint8_t>(size)});
  out_.insert(out_.end(), answer.begin(), answer.end());
}

void tcp_connection::later_answer(bytes answer) {
  if (closed_) return;
  --forwarded_;
  append(answer);
  // What waited for room to be served comes first; the write follows it.
  serve_messages();
}

void tcp_connection::write() {
  if (closed_ || !writing_.empty() || out_.empty()) return;
  writing_.swap(out_);
  write_by_ = steady_clock::now() + limits_.write;
  asio::async_write(socket_, asio::buffer(writing_),
                    [self = shared_from_this()](error_code failed, std::size_t) {
                      self->writing_.clear();
                      if (failed) return self->close();
                      if (!self->closed_) self->serve_messages();
                    });
}

// A message that has begun must come soon; between two there is time.
void tcp_connection::rearm() {
  read_by_ = steady_clock::now() + (in_.empty() ? limits_.idle : limits_.read);
}

// One timer looks at the deadlines now and then: cheaper than to move it with every message.
void tcp_connection::watch() {
  const auto now = steady_clock::now();
  const bool stuck = !writing_.empty() && now >= write_by_;
  const bool silent = now >= read_by_ && forwarded_ == 0 && writing_.empty();
  if (stuck || silent) return close();
  auto next = now + std::min(limits_.write, limits_.read) / 4;
  if (in_.empty() && writing_.empty() && forwarded_ == 0) next = std::min(next, read_by_);
  timer_.expires_at(next);
  timer_.async_wait([weak = weak_from_this()](error_code cancelled) {
    const auto self = weak.lock();
    if (self && !cancelled && !self->closed_) self->watch();
  });
}

void tcp_connection::close() {
  if (closed_) return;
  closed_ = true;
  error_code ignored;
  timer_.cancel();
  socket_.close(ignored);
  if (const auto call = std::exchange(on_closed_, nullptr)) call();
}

}  // namespace egress::dns
