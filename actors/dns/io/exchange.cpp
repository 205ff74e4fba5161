#include "actors/dns/io/exchange.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>

namespace egress::dns {

namespace asio = boost::asio;
using boost::system::error_code;

kept_query::kept_query(const query& asked)
    : packet_(asked.packet.begin(), asked.packet.end()), query_(asked) {
  query_.packet = packet_;
  if (!asked.client_cookie.empty()) {
    const auto offset = static_cast<std::size_t>(asked.client_cookie.data() - asked.packet.data());
    query_.client_cookie = query_.packet.subspan(offset, asked.client_cookie.size());
  }
}

exchange::exchange(asio::io_context& context, upstream_address to, kept_query_ptr asked, std::uint16_t id)
    : context_(context),
      to_(std::move(to)),
      asked_(std::move(asked)),
      id_(id),
      udp_(context),
      tcp_(context) {}

void exchange::start(done on_done) {
  on_done_ = std::move(on_done);
  out_.resize(answer_room);
  out_.resize(write_upstream_query(asked_->get(), id_, out_));
  error_code failed;
  udp_.open(to_.protocol(), failed);
  // Connecting makes the kernel choose a random port, and let pass only what comes from this upstream.
  if (!failed) udp_.connect(to_, failed);
  if (!failed) udp_.send(asio::buffer(out_), 0, failed);
  if (failed) {
    asio::post(context_, [self = shared_from_this()] { self->finish({}); });
    return;
  }
  in_.resize(4096);
  receive();
}

void exchange::cancel() {
  on_done_ = nullptr;
  error_code ignored;
  udp_.close(ignored);
  tcp_.close(ignored);
}

void exchange::receive() {
  udp_.async_receive(asio::buffer(in_), [self = shared_from_this()](error_code failed, std::size_t size) {
    if (!self->on_done_) return;
    if (failed) return self->finish({});
    self->received(size);
  });
}

void exchange::received(std::size_t size) {
  const bytes reply(in_.data(), size);
  // What does not answer our question is somebody's guess: the wait goes on.
  if (!is_reply_to(reply, asked_->get(), id_)) return receive();
  if ((load16(&reply[2]) & flag::tc) != 0) return fall_back_to_tcp();
  finish(reply);
}

void exchange::fall_back_to_tcp() {
  error_code ignored;
  udp_.close(ignored);
  const asio::ip::tcp::endpoint to(to_.address(), to_.port());
  tcp_.async_connect(to, [self = shared_from_this()](error_code failed) {
    if (!self->on_done_) return;
    if (failed) return self->finish({});
    self->write_tcp();
  });
}

void exchange::write_tcp() {
  const auto size = out_.size();
  out_.insert(out_.begin(), {static_cast<std::uint8_t>(size >> 8), static_cast<std::uint8_t>(size)});
  asio::async_write(tcp_, asio::buffer(out_), [self = shared_from_this()](error_code failed, std::size_t) {
    if (!self->on_done_) return;
    if (failed) return self->finish({});
    self->read_tcp_length();
  });
}

void exchange::read_tcp_length() {
  in_.resize(2);
  asio::async_read(tcp_, asio::buffer(in_), [self = shared_from_this()](error_code failed, std::size_t) {
    if (!self->on_done_) return;
    if (failed) return self->finish({});
    self->in_.resize(load16(self->in_.data()));
    self->read_tcp_body();
  });
}

void exchange::read_tcp_body() {
  asio::async_read(tcp_, asio::buffer(in_), [self = shared_from_this()](error_code failed, std::size_t) {
    if (!self->on_done_) return;
    const bool good = !failed && is_reply_to(self->in_, self->asked_->get(), self->id_);
    self->finish(good ? bytes(self->in_) : bytes{});
  });
}

void exchange::finish(bytes reply) {
  if (!on_done_) return;
  const auto call = std::exchange(on_done_, nullptr);
  call(reply);
  error_code ignored;
  udp_.close(ignored);
  tcp_.close(ignored);
}

}  // namespace egress::dns
