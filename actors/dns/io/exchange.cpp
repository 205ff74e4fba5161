#include "actors/dns/io/exchange.hpp"

#include <boost/asio/post.hpp>

namespace egress::dns {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

// So many are no accident: somebody guesses ids. The question is asked again where guessing is no use.
constexpr unsigned most_wrong = 16;

}  // namespace

exchange::exchange(asio::io_context& context, const upstream_server& to,
                   std::shared_ptr<stream_channel> channel, kept_query_ptr asked, std::uint16_t id)
    : context_(context),
      to_(to.address),
      datagrams_(to.tls_name.empty()),
      channel_(std::move(channel)),
      asked_(std::move(asked)),
      id_(id),
      udp_(context) {}

void exchange::start(done on_done) {
  on_done_ = std::move(on_done);
  datagrams_ ? start_udp() : ask_channel();
}

void exchange::start_udp() {
  std::array<std::uint8_t, answer_room> out;
  const auto size = write_upstream_query(asked_->get(), id_, out);
  error_code failed;
  udp_.open(to_.protocol(), failed);
  // Connecting makes the kernel choose a random port, and let pass only what comes from this upstream.
  if (!failed) udp_.connect(to_, failed);
  if (!failed) udp_.send(asio::buffer(out, size), 0, failed);
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
  if (channel_id_) channel_->cancel(*std::exchange(channel_id_, std::nullopt));
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
  if (!is_reply_to(reply, asked_->get(), id_)) return ++wrong_ < most_wrong ? receive() : ask_channel();
  if ((load16(&reply[2]) & flag::tc) != 0) return ask_channel();
  finish(reply);
}

void exchange::ask_channel() {
  error_code ignored;
  udp_.close(ignored);
  channel_id_ = channel_->ask(asked_, [self = shared_from_this()](bytes reply) {
    self->channel_id_.reset();
    self->finish(reply);
  });
}

void exchange::finish(bytes reply) {
  if (!on_done_) return;
  const auto call = std::exchange(on_done_, nullptr);
  call(reply);
  error_code ignored;
  udp_.close(ignored);
}

}  // namespace egress::dns
