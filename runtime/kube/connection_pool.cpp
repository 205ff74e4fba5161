#include "runtime/kube/connection_pool.hpp"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "runtime/kube/is_cancelled.hpp"

namespace egress::kube {

namespace asio = boost::asio;

bool connection_pool::try_enter(bool patient) {
  if (inside_ >= most_) return false;
  ++inside_;
  patient_ += patient ? 1 : 0;
  return true;
}

asio::awaitable<bool> connection_pool::enter(std::chrono::steady_clock::time_point deadline, bool patient) {
  while (!try_enter(patient)) {
    auto turn = std::make_shared<asio::steady_timer>(on_, deadline);
    waiting_.push_back(turn);
    auto [woken] = co_await turn->async_wait(asio::as_tuple(asio::use_awaitable));
    // Called, even where its time was over at the same moment and `woken` says nothing.
    const bool called = std::erase(waiting_, turn) == 0;
    if (woken && !is_cancelled(co_await asio::this_coro::cancellation_state)) continue;
    // The turn that was meant for us is the next one's.
    if (called && inside_ < most_) wake_next();
    co_return false;
  }
  co_return true;
}

void connection_pool::leave(bool patient) {
  --inside_;
  patient_ -= patient ? 1 : 0;
  ++answered_;
  wake_next();
}

void connection_pool::wake_next() {
  if (waiting_.empty()) return;
  const auto next = waiting_.front();
  waiting_.pop_front();
  next->cancel();
}

std::unique_ptr<http::connection> connection_pool::take(const void* tls) {
  while (!idle_.empty()) {
    auto last = std::move(idle_.back());
    idle_.pop_back();
    if (last.tls == tls && last.connection->reusable()) return std::move(last.connection);
  }
  return nullptr;
}

void connection_pool::drop_idle() {
  idle_.clear();
}

void connection_pool::keep(std::unique_ptr<http::connection> connection, const void* tls) {
  if (connection->idle()) idle_.push_back({std::move(connection), tls});
}

}  // namespace egress::kube
