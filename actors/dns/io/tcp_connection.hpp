#pragma once
// One TCP client (RFC 7766): queries in any number behind each other, answers in the order they are ready.
// What one read brings is answered with one write. Used on its loop's thread only.

#include <array>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <chrono>
#include <optional>
#include <vector>

#include "actors/dns/io/query_service.hpp"
#include "runtime/net/unique_fd.hpp"

namespace egress::dns {

// What a connection reads into and answers into while it is served: all connections of a listener share
// these, so that one that is idle has none. Pages that nothing is written to cost nothing.
struct tcp_buffers {
  static constexpr std::size_t frame = 2 + max_message;  // the longest message and its length
  std::array<std::uint8_t, frame> in;
  std::array<std::uint8_t, 3 * frame> out;
  std::size_t kept = 0;  // bytes that the connections have of their own, all together
};

class tcp_connection : public std::enable_shared_from_this<tcp_connection> {
 public:
  using closed_call = std::function<void(const std::shared_ptr<tcp_connection>&)>;
  using crowded_call = std::function<void()>;  // there is more than tcp_limits::kept

  // `service` and `buffers` live until the connection is closed.
  tcp_connection(boost::asio::io_context& context, unique_fd socket, const asked_by& by,
                 query_service& service, tcp_buffers& buffers, const tcp_limits& limits,
                 closed_call on_closed, crowded_call on_crowded);

  void start();
  // Hands the kernel what it takes of the answers that wait, and closes.
  void stop();
  // The listener asks now and then: cheaper than a timer for each connection.
  void close_if_late(std::chrono::steady_clock::time_point now);
  const address_bytes& client() const { return by_.client; }
  // Since when it has had nothing to do; nothing while a query is read, answered or sent.
  std::optional<std::chrono::steady_clock::time_point> idle_since() const;
  // Bytes that it has of its own.
  std::size_t kept() const { return kept_; }

 private:
  bool may_serve() const { return unsent_.empty() && forwarded_ < limits_.pipelined; }
  void go_on();
  void wait_to_read();
  void wait_to_write();
  void read();
  void serve_kept();
  std::size_t serve(bytes from);
  std::size_t serve_some(std::span<const bytes> messages, std::size_t& filled);
  void later_answer(bytes answer);
  void send(bytes answers);
  void send_kept();
  void renew_read_time();
  void renew_write_time();
  void count_kept();
  void close();

  boost::asio::posix::stream_descriptor socket_;
  asked_by by_;
  query_service& service_;
  tcp_buffers& buffers_;
  const tcp_limits& limits_;
  closed_call on_closed_;
  crowded_call on_crowded_;
  std::vector<std::uint8_t> in_;      // read and not served yet: often part of a message, mostly nothing
  std::vector<std::uint8_t> unsent_;  // what the kernel had no room for
  std::size_t due_ = 0;               // so much of it must be gone at write_by_
  std::size_t forwarded_ = 0, kept_ = 0;
  bool reading_ = false, writing_ = false, half_closed_ = false, closed_ = false;
  std::chrono::steady_clock::time_point read_by_, write_by_;
};

}  // namespace egress::dns
