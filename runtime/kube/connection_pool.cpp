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
  awaited_ += patient ? 0 : 1;
  return true;
}

// Who goes before it has the place leaves the queue, or passes on what it was given as it went.
struct connection_pool::in_queue {
  ~in_queue() {
    if (stays) return;
    of.awaited_ -= patient ? 0 : 1;
    if (mine->has_place)
      of.pass_on();
    else
      std::erase(of.waiting_, mine);
  }
  connection_pool& of;
  std::shared_ptr<waiter> mine;
  bool patient;
  bool stays = false;
};

asio::awaitable<bool> connection_pool::enter(std::chrono::steady_clock::time_point deadline, bool patient) {
  if (try_enter(patient)) co_return true;
  in_queue here{*this, std::make_shared<waiter>(on_, deadline), patient};
  awaited_ += patient ? 0 : 1;
  waiting_.push_back(here.mine);
  const auto [woken] = co_await here.mine->timer.async_wait(asio::as_tuple(asio::use_awaitable));
  // Its time may have been over, or it cancelled, as it was called.
  here.stays = here.mine->has_place && woken && !is_cancelled(co_await asio::this_coro::cancellation_state);
  co_return here.stays;
}

void connection_pool::leave(bool patient) {
  ++answered_;
  awaited_ -= patient ? 0 : 1;
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
