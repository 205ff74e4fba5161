#pragma once
// What a client and its watches share. Internal to client.cpp and watch_stream.cpp.

#include <random>

#include "runtime/kube/client.hpp"
#include "runtime/kube/connection_pool.hpp"
#include "runtime/kube/credentials.hpp"
#include "runtime/kube/decode.hpp"
#include "runtime/kube/rate_limit.hpp"

namespace egress::kube {

struct client::state {
  state(boost::asio::any_io_executor executor, connection_config config, client_options with);

  http::connect_options way(const credentials::current& who) const;
  // Views of all of these, and of this.
  http::client_request message(std::string_view method, std::string_view target,
                               const credentials::current& who,
                               std::string_view accept = "application/json") const;

  // A new connection, opened and trusted before the deadline.
  boost::asio::awaitable<std::expected<std::unique_ptr<http::connection>, http::failure>> open(
      credentials::current as, std::chrono::steady_clock::time_point deadline);

  boost::asio::any_io_executor on;
  client_options options;
  connection_config config;
  result<http::base_url> where;
  std::string server;  // its host and port, as metrics say it
  credentials who;
  connection_pool pool;
  decoder decode;
  rate_limit limit;
  std::mt19937_64 random{std::random_device{}()};
};

}  // namespace egress::kube
