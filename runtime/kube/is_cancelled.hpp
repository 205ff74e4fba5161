#pragma once
// Whether the coroutine that asks was cancelled. A signal that comes while nothing is under way interrupts
// nothing: who is about to begin something has to ask. Internal to the client and the bridge.

#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace egress::kube {

// `asks` is what `co_await this_coro::cancellation_state` gives: no coroutine of its own for a look.
inline bool is_cancelled(const boost::asio::cancellation_state& asks) {
  return asks.cancelled() != boost::asio::cancellation_type::none;
}

}  // namespace egress::kube
