#include "runtime/actor/watch_reader.hpp"

#include <boost/asio/as_tuple.hpp>
#include <utility>

namespace egress {

namespace asio = boost::asio;

watch_reader::watch_reader(const asio::any_io_executor& on, std::size_t most,
                           std::chrono::milliseconds patience, tell_function tell)
    : ahead_(most), patience_(patience), tell_(std::move(tell)), room_(on) {}

asio::awaitable<void> watch_reader::read(source next) {
  while (!ahead_.ended()) {
    ahead_.add(co_await next());
    tell();
    if (!co_await has_room()) {
      kube::api_error why;
      why.message = "nobody asked what came of the watch";
      end(std::move(why));
    }
  }
}

// False when nobody asked in time.
asio::awaitable<bool> watch_reader::has_room() {
  while (ahead_.full() && !kube::is_cancelled(co_await asio::this_coro::cancellation_state)) {
    room_.expires_after(patience_);
    const auto [woken] = co_await room_.async_wait(asio::as_tuple(asio::use_awaitable));
    if (!woken) co_return false;
  }
  co_return true;
}

void watch_reader::end(kube::api_error why) {
  ahead_.add({.events = {}, .ended = true, .failure = std::move(why)});
  tell();
}

void watch_reader::ask(std::uint64_t ticket) {
  ahead_.ask(ticket);
  tell();
  if (!ahead_.full()) room_.cancel();
}

void watch_reader::tell() {
  if (auto answer = ahead_.take()) tell_(std::move(*answer));
}

}  // namespace egress
