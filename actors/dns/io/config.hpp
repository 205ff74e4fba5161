#pragma once
// What a packet loop is told at its start.

#include <boost/asio/ip/udp.hpp>
#include <chrono>
#include <vector>

#include "actors/dns/client_acl.hpp"
#include "actors/dns/cookie.hpp"
#include "actors/dns/forward_reply.hpp"
#include "actors/dns/io/query_recorder.hpp"

namespace egress::dns {

using upstream_address = boost::asio::ip::udp::endpoint;

// "10.0.0.10", "10.0.0.10:5300", "fd00::10", "[fd00::10]:53"; port 53 when none is given.
result<upstream_address> parse_upstream(const std::string& text);
// The nameservers of a resolv.conf's text; none for a text without any.
std::vector<std::string> nameservers_of(std::string_view resolv_conf);

struct tcp_limits {
  std::chrono::milliseconds read{3000};   // a message that has begun must be complete
  std::chrono::milliseconds write{5000};  // a client that takes nothing is let go
  std::chrono::milliseconds idle{15000};  // longer than CoreDNS keeps its connections (10 s)
  std::size_t connections = 1024;         // of one loop
  std::size_t per_client = 256;
  std::size_t pipelined = 300;  // forwarded queries in flight on one connection; then reading waits
};

struct forwarder_limits {
  std::chrono::milliseconds least{200}, most{750};  // one attempt: 3 × smoothed RTT within these
  std::chrono::milliseconds budget{1900};           // all attempts; CoreDNS gives up after 2 s
  std::chrono::milliseconds probe{500};             // an unhealthy upstream is asked this often
  std::size_t max_concurrent = 1000;                // of this loop (--dns-max-concurrent / workers)
};

struct worker_config {
  forward_options answers;
  client_acl allow;
  cookie_secret cookie_root{};          // the same for all loops: a client may reach any of them
  std::shared_ptr<query_recorder> log;  // of this loop alone; null: no query log
  std::vector<upstream_address> upstreams;
  forwarder_limits forward;
  tcp_limits tcp;
};

}  // namespace egress::dns
