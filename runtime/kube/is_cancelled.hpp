#pragma once
// Whether the coroutine that asks was cancelled. A signal that comes while nothing is under way interrupts
// nothing: who is about to begin something has to ask. Internal to the client and the bridge.

#include <boost/asio/awaitable.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace egress::kube {

inline boost::asio::awaitable<bool> is_cancelled() {
  const auto state = co_await boost::asio::this_coro::cancellation_state;
  co_return state.cancelled() != boost::asio::cancellation_type::none;
}

}  // namespace egress::kube
