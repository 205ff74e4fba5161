#pragma once
// Accepts TCP clients, within bounds in all and per client. Where there is no room, who has been idle longest
// makes some (RFC 7766, 6.2.3: a server may close idle connections when it has to). Used on its loop's thread
// only.

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <map>
#include <set>

#include "actors/dns/io/tcp_connection.hpp"
#include "runtime/net/unique_fd.hpp"

namespace egress::dns {

class tcp_listener : public std::enable_shared_from_this<tcp_listener> {
 public:
  tcp_listener(boost::asio::io_context& context, unique_fd socket, query_service& service,
               const tcp_limits& limits, worker_counters& counters);

  void start();
  // Accepts nobody any more, and closes all connections.
  void stop();

 private:
  void wait();
  void accept_all();
  void adopt(unique_fd accepted, const asked_by& by);
  void watch();
  void close_the_late();
  void closed(const std::shared_ptr<tcp_connection>& connection);
  void make_room();
  // Ends the connection that has been idle longest, of this client or of all; false when none has been for
  // as long as it may be.
  bool end_an_idle_one(const address_bytes* of);

  boost::asio::io_context& context_;
  boost::asio::posix::stream_descriptor socket_;
  boost::asio::steady_timer retry_, watch_;
  query_service& service_;
  tcp_limits limits_;
  worker_counters& counters_;
  std::unique_ptr<tcp_buffers> buffers_;
  std::set<std::shared_ptr<tcp_connection>> connections_;
  std::map<address_bytes, std::size_t> per_client_;
  // Not looked for before then: a flood of newcomers need not have all looked through each time.
  std::chrono::steady_clock::time_point none_idle_until_;
  bool watching_ = false, stopped_ = false;
};

}  // namespace egress::dns
