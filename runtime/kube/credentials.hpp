#pragma once
// Who we are to the API server, kept fresh: files are read again, exec plugins run again, when it is time.

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ssl/context.hpp>
#include <functional>
#include <memory>
#include <string>

#include "runtime/base/result.hpp"
#include "runtime/base/time.hpp"
#include "runtime/kube/connection_config.hpp"

namespace egress::kube {

class credentials {
 public:
  // `clock` is what ages are counted by; a test's may jump.
  explicit credentials(connection_config config,
                       std::function<steady_time()> clock = std::chrono::steady_clock::now);
  ~credentials();
  credentials(const credentials&) = delete;
  credentials& operator=(const credentials&) = delete;

  struct current {
    std::shared_ptr<const std::string> authorization;  // "Bearer …"; null for none
    std::shared_ptr<boost::asio::ssl::context> tls;    // null for a plain server
  };

  // What to use for the next request. Token files are read at most every 50 s (a rotated token is valid for
  // long beyond that), certificates every 5 min, exec plugins when their credential ends within 10 s. The
  // plugin runs beside the executor's other work, once for all who ask meanwhile, and goes on when one of
  // them is cancelled or at its deadline: the outcome serves the others, and later ones. From one executor's
  // thread.
  boost::asio::awaitable<result<current>> get(boost::asio::any_io_executor on, steady_time deadline);
  // Whether get() has a plugin to wait for; without one at_hand() is the same.
  bool waits() const;
  result<current> at_hand();

  // The server said 401 to these: read and run everything again at the next get(). Nothing when they were
  // replaced meanwhile.
  void refused(const current& what);

  // No TLS session with these: certificates and authorities may have been replaced. Files are read again at
  // the next get(), and a plugin that gave the certificate is run again.
  void distrusted(const current& what);

 private:
  struct state;  // shared with a plugin under way
  std::shared_ptr<state> state_;
};

}  // namespace egress::kube
