#pragma once
// The addresses of a host. Internal to the client.

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <expected>

#include "runtime/http/url.hpp"

namespace egress::http {

// Ends at `deadline` (timed_out) and when cancelled (operation_aborted), whatever the system's resolver does.
// A host that is an address needs no resolver.
boost::asio::awaitable<std::expected<boost::asio::ip::tcp::resolver::results_type, boost::system::error_code>>
resolve(boost::asio::any_io_executor on, base_url where, std::chrono::steady_clock::time_point deadline);

}  // namespace egress::http
