#pragma once
// Runs one coroutine on an io_context until nothing is left to do, and gives its value.

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <exception>
#include <optional>

namespace egress::test {

template <class T>
T run(boost::asio::io_context& io, boost::asio::awaitable<T> what) {
  std::optional<T> outcome;
  boost::asio::co_spawn(io, std::move(what), [&](std::exception_ptr thrown, T value) {
    if (thrown) std::rethrow_exception(thrown);
    outcome.emplace(std::move(value));
  });
  io.restart();
  io.run();
  return std::move(outcome.value());
}

}  // namespace egress::test
