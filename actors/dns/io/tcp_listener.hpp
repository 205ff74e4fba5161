#pragma once
// Accepts TCP clients, within bounds in all and per client. Where there is no room an idle connection goes
// (RFC 7766, 6.2.3): of the client itself, of the one that has most, or of anybody; last a busy one of the
// client that has most. Used on its loop's thread only.

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
  using time = std::chrono::steady_clock::time_point;

  void wait();
  void accept_some();
  void wait_for_descriptors();
  void adopt(unique_fd accepted, const asked_by& by);
  void watch();
  void close_the_late();
  void closed(const std::shared_ptr<tcp_connection>& connection);
  void make_room();
  // Ends a connection for a newcomer whose client has so many; false when nobody can be asked to go.
  bool end_one_for(std::size_t theirs);
  // The one that has been idle longest, of this client or of all, if it was left undisturbed for long enough.
  bool end_an_idle_one(const address_bytes* of);
  // The one that has been idle longest, since `at_least` or before, of this client or of all; null for none.
  std::shared_ptr<tcp_connection> idle_longest(const address_bytes* of, time at_least) const;

  boost::asio::io_context& context_;
  boost::asio::posix::stream_descriptor socket_;
  boost::asio::steady_timer retry_, watch_;
  query_service& service_;
  tcp_limits limits_;
  worker_counters& counters_;
  std::unique_ptr<tcp_buffers> buffers_;
  std::set<std::shared_ptr<tcp_connection>> connections_;
  std::map<address_bytes, std::size_t> per_client_;
  time none_idle_until_;  // not looked for before then: a flood of newcomers would have all looked through
  bool watching_ = false, stopped_ = false;
};

}  // namespace egress::dns
