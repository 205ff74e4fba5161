#pragma once
// One question to one upstream over UDP, and over TCP when the reply is cut: a socket, a random id and a
// random source port of its own.

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/udp.hpp>
#include <functional>
#include <memory>
#include <vector>

#include "actors/dns/io/config.hpp"

namespace egress::dns {

// A query that outlives its packet.
class kept_query {
 public:
  explicit kept_query(const query& asked);
  kept_query(const kept_query&) = delete;
  kept_query& operator=(const kept_query&) = delete;
  const query& get() const { return query_; }

 private:
  std::vector<std::uint8_t> packet_;
  query query_;
};
using kept_query_ptr = std::shared_ptr<const kept_query>;

// Used on its io_context's thread only. Keeps itself alive until it has called back or was cancelled.
class exchange : public std::enable_shared_from_this<exchange> {
 public:
  // A checked reply, or empty: the upstream is not reachable (a reply that never comes is the owner's timer).
  // Called at most once, never from within start or cancel.
  using done = std::function<void(bytes reply)>;

  exchange(boost::asio::io_context& context, upstream_address to, kept_query_ptr asked, std::uint16_t id);
  void start(done on_done);
  void cancel();

 private:
  void receive();
  void received(std::size_t size);
  void fall_back_to_tcp();
  void write_tcp();
  void read_tcp_length();
  void read_tcp_body();
  void finish(bytes reply);

  boost::asio::io_context& context_;
  upstream_address to_;
  kept_query_ptr asked_;
  std::uint16_t id_;
  boost::asio::ip::udp::socket udp_;
  boost::asio::ip::tcp::socket tcp_;
  std::vector<std::uint8_t> out_, in_;
  done on_done_;
};

}  // namespace egress::dns
