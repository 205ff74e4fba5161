#pragma once
// One HTTP/1.1 connection of a client, plain or TLS. Coroutines on one executor; nothing throws out of them.
// Asio's terminal cancellation, and destroying the connection, end what is under way.

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/container/static_vector.hpp>
#include <chrono>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "runtime/http/url.hpp"

namespace egress::http {

enum class failure_kind : std::uint8_t {
  connect,    // no connection
  untrusted,  // no TLS session: one of the two sides does not trust the other, or speaks no TLS
  stale,      // a kept-alive connection that the server had closed: no byte of an answer came
  cut,        // the answer broke off
  timed_out,
  malformed,  // not HTTP, what came or what was to be sent
  cancelled,
  withheld,  // by client_request::may_leave
};

struct failure {
  failure_kind kind = failure_kind::cut;
  std::string message;  // one line, with the address
  // All bytes of the request went to the socket: the server may have carried it out.
  bool sent = false;
};

// What it views is somebody else's, and has to stay until send() is over.
struct client_request {
  struct header {
    std::string_view name, value;
  };
  std::string_view method, target;                     // below the base URL's path
  boost::container::static_vector<header, 6> headers;  // but Host, Content-Length, Transfer-Encoding
  std::string_view body;
  // Asked right before the system call that hands over bytes, for each piece; a no ends the connection.
  // Empty: they always may. Must not throw.
  std::function<bool()> may_leave = {};
};

struct response_head {
  int status = 0;
  bool gzip = false;
  std::optional<std::chrono::seconds> retry_after;  // the delay form only (RFC 9110 10.2.3)
};

struct connect_options {
  base_url where;
  std::shared_ptr<boost::asio::ssl::context> tls;  // null: plain
  std::string server_name;                         // SNI, and the name that is verified
  bool verify = true;
  // The first bounds the name's resolution and the connection together, the second the handshake behind them;
  // the deadline bounds all three.
  std::chrono::milliseconds connect_timeout{30'000}, tls_timeout{10'000};
  std::chrono::steady_clock::time_point deadline = std::chrono::steady_clock::time_point::max();
};

class connection {
 public:
  static boost::asio::awaitable<std::expected<std::unique_ptr<connection>, failure>> open(
      boost::asio::any_io_executor on, connect_options options);
  ~connection();
  connection(const connection&) = delete;
  connection& operator=(const connection&) = delete;

  // Sends the request, at once, and reads the head of the answer.
  boost::asio::awaitable<std::expected<response_head, failure>> send(client_request what,
                                                                     std::chrono::milliseconds timeout);

  // The next piece of the body, of at most 8 KiB; empty at its end. The piece is valid until the next call.
  boost::asio::awaitable<std::expected<std::string_view, failure>> read_some(
      std::chrono::milliseconds timeout);

  // The answer is read to its end, and the server keeps the connection.
  bool idle() const;
  // It is idle, and the server has not closed it since: what a look at the socket can tell.
  bool reusable() const;

 private:
  struct state;
  explicit connection(std::unique_ptr<state> from);
  std::unique_ptr<state> state_;
};

}  // namespace egress::http
