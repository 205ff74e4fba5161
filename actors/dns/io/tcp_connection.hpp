#pragma once
// One TCP client (RFC 7766): queries in any number behind each other, answers in the order they are ready.
// Used on its loop's thread only.

#include <array>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include "actors/dns/io/query_service.hpp"

namespace egress::dns {

class tcp_connection : public std::enable_shared_from_this<tcp_connection> {
 public:
  tcp_connection(boost::asio::ip::tcp::socket socket, address_bytes client, bool v6, query_service& service,
                 const tcp_limits& limits, std::function<void()> on_closed);
  ~tcp_connection();

  void start();
  // Hands the kernel what it takes of the answers that wait, and closes.
  void stop();
  const address_bytes& client() const { return client_; }

 private:
  void read();
  void serve_messages();
  void serve_message(bytes message);
  void append(bytes answer);
  void later_answer(bytes answer);
  void write();
  void watch();
  void rearm();
  bool may_read() const;
  void close();

  boost::asio::ip::tcp::socket socket_;
  boost::asio::steady_timer timer_;
  address_bytes client_;
  bool v6_;
  query_service& service_;
  tcp_limits limits_;
  std::function<void()> on_closed_;
  std::array<std::uint8_t, 4096> chunk_;
  std::vector<std::uint8_t> in_;             // what was read and not served yet
  std::vector<std::uint8_t> out_, writing_;  // answers that wait; those under way
  std::size_t forwarded_ = 0;
  bool reading_ = false, half_closed_ = false, closed_ = false;
  std::chrono::steady_clock::time_point read_by_, write_by_;
};

}  // namespace egress::dns
