#pragma once
// One question to one upstream: over UDP with a random id from a random port, and over the upstream's channel
// when the reply is cut, when somebody guesses at the port, or when UDP is not for this upstream (TLS).

#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>

#include "actors/dns/io/kept_query.hpp"
#include "actors/dns/io/stream_channel.hpp"
#include "actors/dns/io/upstream_port.hpp"

namespace egress::dns {

// Used on its io_context's thread only. Its owner keeps it until it has called back or was cancelled.
class exchange final : public port_question, public std::enable_shared_from_this<exchange> {
 public:
  // A checked reply, or empty: the upstream is not reachable (a reply that never comes is the owner's timer).
  // Called at most once, never from within start or cancel.
  using done = std::function<void(exchange& from, bytes reply)>;

  // `asked` outlives the exchange's start, until it has called back or was cancelled.
  exchange(boost::asio::io_context& context, const std::shared_ptr<stream_channel>& channel,
           const query& asked)
      : context_(context), channel_(channel), asked_(asked) {}
  ~exchange() { leave_port(); }

  // From `port`; null: from nowhere, so it fails.
  void start_at(std::shared_ptr<upstream_port> port, random_words& random, done on_done);
  // Over the channel alone.
  void start_on_channel(done on_done);
  void cancel();

  const query& asked() const override { return asked_; }
  void replied(bytes reply) override;
  void unreachable() override;
  void guessed_at() override;

 private:
  void ask_channel();
  void leave_port();
  void finish(bytes reply);

  boost::asio::io_context& context_;
  std::shared_ptr<stream_channel> channel_;
  const query& asked_;
  std::shared_ptr<upstream_port> port_;  // while it waits there
  std::size_t place_ = 0;
  std::optional<std::uint16_t> channel_id_;  // while the channel is asked
  done on_done_;
};

}  // namespace egress::dns
