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
  if (try_enter(patient)) co_return true;
  auto turn = std::make_shared<waiter>(on_, deadline);
  waiting_.push_back(turn);
  const auto [woken] = co_await turn->timer.async_wait(asio::as_tuple(asio::use_awaitable));
  if (!turn->has_place) {
    std::erase(waiting_, turn);
    co_return false;
  }
  if (woken && !is_cancelled(co_await asio::this_coro::cancellation_state)) {
    patient_ += patient ? 1 : 0;
    co_return true;
  }
  // It was called as its time was over, or as it was cancelled.
  pass_on();
  co_return false;
}

void connection_pool::leave(bool patient) {
  ++answered_;
  patient_ -= patient ? 1 : 0;
  pass_on();
}

// Who waits has the place at once: nobody who comes before it runs may take it.
void connection_pool::pass_on() {
  if (waiting_.empty()) {
    --inside_;
    return;
  }
  const auto next = waiting_.front();
  waiting_.pop_front();
  next->has_place = true;
  next->timer.cancel();
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
