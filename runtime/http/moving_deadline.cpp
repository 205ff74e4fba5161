#include "runtime/http/moving_deadline.hpp"

#include <boost/asio/steady_timer.hpp>

namespace egress::http {

namespace {
// Deadlines that were rounded to milliseconds are the same.
constexpr std::chrono::milliseconds slack{1};
}  // namespace

struct moving_deadline::state : std::enable_shared_from_this<state> {
  state(const boost::asio::any_io_executor& on, std::function<void()> call)
      : timer(on), passed(std::move(call)) {}

  void run_timer() {
    timer.expires_at(until);
    timer_until = until;
    timer.async_wait([self = shared_from_this()](boost::system::error_code cancelled) {
      if (!cancelled && self->timer.expiry() == self->timer_until) self->timer_ended();
    });
  }
  void timer_ended() {
    timer_until = time_point::max();
    if (!passed) return;
    if (until > std::chrono::steady_clock::now()) return run_timer();
    until = time_point::max();
    passed();
  }

  boost::asio::steady_timer timer;
  std::function<void()> passed;
  time_point until = time_point::max();
  time_point timer_until = time_point::max();  // when the timer that runs ends; max: none runs
};

moving_deadline::moving_deadline(const boost::asio::any_io_executor& on, std::function<void()> passed)
    : state_(std::make_shared<state>(on, std::move(passed))) {}

moving_deadline::~moving_deadline() {
  state_->passed = {};
  state_->timer.cancel();
}

void moving_deadline::move_to(time_point until) {
  state_->until = until;
  if (until == time_point::max()) {
    state_->timer_until = until;
    state_->timer.cancel();
  } else if (until < state_->timer_until - slack) {
    state_->run_timer();
  }
}

}  // namespace egress::http
