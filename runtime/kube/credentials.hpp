#pragma once
// Who we are to the API server, kept fresh: files are read again, exec plugins run again, when it is time.

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ssl/context.hpp>
#include <memory>
#include <optional>
#include <string>

#include "runtime/base/result.hpp"
#include "runtime/base/time.hpp"
#include "runtime/kube/connection_config.hpp"

namespace egress::kube {

class credentials {
 public:
  explicit credentials(connection_config config) : config_(std::move(config)) {}

  struct current {
    std::string token;                               // "" for none
    std::shared_ptr<boost::asio::ssl::context> tls;  // null for a plain server
  };

  // What to use for the next request. Token files are read at most every 60 s (a rotated token is valid for
  // long beyond that), certificates every 5 min, exec plugins when their credential ends within 10 s. The
  // plugin runs beside the executor's other work.
  boost::asio::awaitable<result<current>> get(boost::asio::any_io_executor on);

  // The server said 401: read and run everything again at the next get().
  void refused();

 private:
  result<void> refresh_tls(steady_time now);
  result<void> refresh_token(steady_time now);
  boost::asio::awaitable<result<void>> refresh_exec(boost::asio::any_io_executor on);

  connection_config config_;
  current now_;
  std::string exec_certificate_, exec_key_;
  steady_time token_read_{}, tls_read_{};
  std::optional<wall_time> exec_ends_;
  bool stale_ = true;  // everything is to be read again
};

}  // namespace egress::kube
