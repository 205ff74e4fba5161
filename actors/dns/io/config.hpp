#pragma once
// What a packet loop is told at its start.

#include <boost/asio/ip/udp.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <vector>

#include "actors/dns/client_acl.hpp"
#include "actors/dns/cookie.hpp"
#include "actors/dns/forward_reply.hpp"
#include "actors/dns/io/query_recorder.hpp"
#include "actors/dns/table_memory.hpp"
#include "runtime/base/upstream_policy.hpp"

namespace boost::asio::ssl {
class context;
}

namespace egress::dns {

class loop_watch;

using upstream_address = boost::asio::ip::udp::endpoint;

// A DNS server that other names are asked of.
struct upstream_server {
  upstream_address address{};
  std::string tls_name{};  // over TLS (RFC 7858), with a certificate for this name; "": over UDP and TCP

  upstream_server() = default;
  upstream_server(upstream_address at, std::string tls = {})
      : address(std::move(at)), tls_name(std::move(tls)) {}
  friend bool operator==(const upstream_server&, const upstream_server&) = default;
};
using upstream_list = std::vector<upstream_server>;

// "10.0.0.10", "10.0.0.10:5300", "fd00::10", "[fd00::10]:53": port 53 when none is given.
// "tls://10.0.0.10:853#dns.example": port 853 when none is given; the name is required.
result<upstream_server> parse_upstream(const std::string& text);
// The label `to` of metrics: "10.0.0.10:53", "[fd00::10]:853".
std::string to_text(const upstream_address& address);
// The nameservers of a resolv.conf's text; none for a text without any.
std::vector<std::string> nameservers_of(std::string_view resolv_conf);

// Names at and below `domain` are asked of these (--dns-forward).
struct forward_domain {
  wire_name domain;
  upstream_list servers;
};
// "cluster.local=10.96.0.10,10.96.0.11"
result<forward_domain> parse_forward(const std::string& text);

struct tcp_limits {
  std::chrono::milliseconds read{3000};   // a message that has begun must be complete
  std::chrono::milliseconds write{5000};  // a client that takes nothing is let go
  std::chrono::milliseconds idle{15000};  // longer than CoreDNS keeps its connections (10 s)
  // Where there is no room for a newcomer, one that has been idle for longer may be let go.
  std::chrono::milliseconds undisturbed{1000};
  std::size_t connections = 1024;  // of one loop
  std::size_t per_client = 256;
  std::size_t pipelined = 300;       // forwarded queries in flight on one connection; then reading waits
  std::size_t unread = 384U << 10U;  // bytes of answers that a client does not take; then it is let go
  std::size_t kept = 16U << 20U;     // bytes that all of one loop have here; then the one with most is let go
};

// A connection of ours to an upstream.
struct channel_limits {
  std::chrono::milliseconds connect{3000};  // TLS included
  std::chrono::milliseconds stall{2000};    // a question was sent, and nothing comes
  std::chrono::milliseconds idle{10000};    // no question waits
};

struct forwarder_limits {
  std::chrono::milliseconds least{200}, most{750};  // one attempt: 3 × smoothed RTT within these
  std::chrono::milliseconds budget{1900};           // all attempts; CoreDNS gives up after 2 s
  std::chrono::milliseconds probe{500};             // an unhealthy upstream is asked this often
  // A looped one, and one that has answered no loop check yet, is looked at again after `probe`, then after
  // twice that, and so on up to this.
  std::chrono::milliseconds loop_check{30000};
  // Of this loop, for each group of upstreams (--dns-max-concurrent / workers).
  std::size_t max_concurrent = 1000;
  unsigned own_ports = 1000;  // a second and upstream: source ports for one question alone
  channel_limits channel;
};

struct cache_limits {
  std::size_t bytes = 8 << 20;                  // of this loop (--dns-cache-size / workers); 0 is off
  std::chrono::milliseconds stale_after{1800};  // RFC 8767's client response timer; below the budget
};

struct worker_config {
  // What is answered from before the loop is handed a table; may be null.
  std::shared_ptr<const table_memory> last_table;
  forward_options answers;
  client_acl allow;
  cookie_secret cookie_root{};          // the same for all loops: a client may reach any of them
  std::shared_ptr<query_recorder> log;  // of this loop alone; null: no query log
  upstream_list upstreams;              // of all names that are in none of `domains`
  std::vector<forward_domain> domains;  // each with a health and policy state of its own
  upstream_policy policy = upstream_policy::least_outstanding;
  std::shared_ptr<boost::asio::ssl::context> tls;  // shared by all loops; null: no upstream has a tls_name
  std::shared_ptr<loop_watch> loops;               // shared by all loops; null: upstreams are not checked
  // Told what is wrong with an upstream, "" when that is over; from any loop's thread, again and again.
  std::function<void(const std::string& to, const std::string& problem)> upstream_news = [](auto&, auto&) {};
  forwarder_limits forward;
  cache_limits cache;
  tcp_limits tcp;
};

}  // namespace egress::dns
