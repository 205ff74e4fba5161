#pragma once
// An HTTP/1.1 server of ours: /metrics, health, and the embedded API server. Plain HTTP, keep-alive, bounded
// requests, streamed answers. Everything runs on one executor's thread.

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/base/result.hpp"

namespace egress::http {

struct server_request {
  std::string method;
  std::string target;  // as sent: path and query
  std::string content_type, accept;
  std::string host, origin;  // "" where the client says none
  std::string body;
};

struct server_response {
  unsigned status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;
};

struct server_limits {
  std::size_t body_bytes = 3U << 20U;  // beyond: 413; a head beyond 64 KiB: 431
  std::size_t connections = 1000;      // beyond: the one that asked longest ago makes room
  // Between requests, for the head and then for the body of one, for each piece of an answer.
  std::chrono::milliseconds idle{60'000}, read{10'000}, write{10'000};
};

// The answer to one request. A handler calls answer() once, or begin() and then chunk() as often as it likes;
// all give false when the client is gone. To a HEAD only the head goes out, to HTTP/1.0 a stream without
// chunks.
class responder {
 public:
  virtual ~responder() = default;
  virtual boost::asio::awaitable<bool> answer(server_response what) = 0;
  virtual boost::asio::awaitable<bool> begin(unsigned status, std::string content_type) = 0;
  virtual boost::asio::awaitable<bool> chunk(std::string_view bytes) = 0;
  // The connection ends when the handler returns, whatever is still missing of the answer: for faults in
  // tests.
  virtual void cut() = 0;
};

// Must not throw, and must answer. The responder lives as long as the handler runs.
using request_handler = std::function<boost::asio::awaitable<void>(server_request, responder&)>;

// For handlers that have nothing to wait for.
request_handler plain_handler(std::function<server_response(const server_request&)> answer);

class server {
 public:
  server(boost::asio::any_io_executor on, request_handler handle, server_limits limits = {});
  // Stops.
  ~server();
  server(const server&) = delete;
  server& operator=(const server&) = delete;

  // Serves a listening TCP socket, which it then owns. From any thread.
  result<void> serve(int listening_fd);

  // Closes the listener and all connections; handlers under way end at their next co_await. From any thread.
  void stop();

 private:
  struct state;
  std::shared_ptr<state> state_;
};

}  // namespace egress::http
