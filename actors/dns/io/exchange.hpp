#pragma once
// One question to one upstream: over UDP with a socket, a random id and a random source port of its own, and
// over the upstream's channel when the reply is cut, or when UDP is not for this upstream (TLS).

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/udp.hpp>
#include <functional>
#include <memory>
#include <vector>

#include "actors/dns/io/config.hpp"
#include "actors/dns/io/kept_query.hpp"
#include "actors/dns/io/stream_channel.hpp"

namespace egress::dns {

// Used on its io_context's thread only. Keeps itself alive until it has called back or was cancelled.
class exchange : public std::enable_shared_from_this<exchange> {
 public:
  // A checked reply, or empty: the upstream is not reachable (a reply that never comes is the owner's timer).
  // Called at most once, never from within start or cancel.
  using done = std::function<void(bytes reply)>;

  exchange(boost::asio::io_context& context, const upstream_server& to,
           std::shared_ptr<stream_channel> channel, kept_query_ptr asked, std::uint16_t id);
  void start(done on_done);
  void cancel();

 private:
  void start_udp();
  void receive();
  void received(std::size_t size);
  void ask_channel();
  void finish(bytes reply);

  boost::asio::io_context& context_;
  upstream_address to_;
  bool datagrams_;
  std::shared_ptr<stream_channel> channel_;
  kept_query_ptr asked_;
  std::uint16_t id_;
  std::optional<std::uint16_t> channel_id_;  // while the channel is asked
  unsigned wrong_ = 0;                       // datagrams that were no reply to our question
  boost::asio::ip::udp::socket udp_;
  std::vector<std::uint8_t> in_;
  done on_done_;
};

}  // namespace egress::dns
