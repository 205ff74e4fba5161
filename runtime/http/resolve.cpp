#include "runtime/http/resolve.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <charconv>
#include <memory>
#include <optional>

namespace egress::http {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;
using boost::system::error_code;

namespace {

struct lookup {
  lookup(const asio::any_io_executor& on, std::chrono::steady_clock::time_point deadline)
      : resolver(on), done(on, deadline) {}
  tcp::resolver resolver;
  asio::steady_timer done;  // cancelled when there is an outcome
  std::optional<error_code> code;
  tcp::resolver::results_type addresses;
};

}  // namespace

asio::awaitable<std::expected<tcp::resolver::results_type, error_code>> resolve(
    asio::any_io_executor on, base_url where, std::chrono::steady_clock::time_point deadline) {
  error_code is_name;
  const auto address = asio::ip::make_address(where.host, is_name);
  if (!is_name) {
    std::uint16_t port = 0;
    std::from_chars(where.port.data(), where.port.data() + where.port.size(), port);
    co_return tcp::resolver::results_type::create({address, port}, where.host, where.port);
  }
  // Asio's own operation ends no sooner than getaddrinfo does, cancelled or not: it is left behind.
  auto running = std::make_shared<lookup>(on, deadline);
  running->resolver.async_resolve(where.host, where.port, [running](const error_code& code, auto addresses) {
    running->code = code;
    running->addresses = std::move(addresses);
    running->done.cancel();
  });
  auto [woken] = co_await running->done.async_wait(asio::as_tuple(asio::use_awaitable));
  if (!running->code) {
    // One that has not begun is not begun any more: others wait behind it.
    running->resolver.cancel();
    co_return std::unexpected(woken ? woken : error_code{asio::error::timed_out});
  }
  if (*running->code) co_return std::unexpected(*running->code);
  co_return std::move(running->addresses);
}

}  // namespace egress::http
