#include "actors/dns/io/exchange.hpp"

#include <boost/asio/post.hpp>

namespace egress::dns {

namespace asio = boost::asio;

void exchange::start_at(std::shared_ptr<upstream_port> port, random_words& random, done on_done) {
  on_done_ = std::move(on_done);
  if (!port) return asio::post(context_, [self = shared_from_this()] { self->finish({}); });
  port_ = std::move(port);
  place_ = port_->ask(*this, random);
}

void exchange::start_on_channel(done on_done) {
  on_done_ = std::move(on_done);
  ask_channel();
}

void exchange::cancel() {
  on_done_ = nullptr;
  leave_port();
  if (channel_id_) channel_->cancel(*std::exchange(channel_id_, std::nullopt));
}

void exchange::replied(bytes reply) {
  (load16(&reply[2]) & flag::tc) != 0 ? ask_channel() : finish(reply);
}

void exchange::unreachable() {
  finish({});
}

// Over a connection guessing is no use.
void exchange::guessed_at() {
  ask_channel();
}

void exchange::ask_channel() {
  leave_port();
  channel_id_ =
      channel_->ask(std::make_shared<const kept_query>(asked_), [self = shared_from_this()](bytes reply) {
        self->channel_id_.reset();
        self->finish(reply);
      });
}

void exchange::leave_port() {
  if (const auto port = std::exchange(port_, nullptr)) port->drop(place_);
}

void exchange::finish(bytes reply) {
  leave_port();
  if (const auto call = std::exchange(on_done_, nullptr)) call(*this, reply);
}

}  // namespace egress::dns
