#include "runtime/program/signals.hpp"

#include <boost/asio/post.hpp>
#include <csignal>
#include <future>

namespace egress {

struct caught_signals::state : std::enable_shared_from_this<state> {
  explicit state(boost::asio::io_context& on) : set(on, SIGINT, SIGTERM) {}

  void wait() {
    set.async_wait([self = shared_from_this()](const boost::system::error_code& ended, int) {
      if (ended || !self->arrived) return;
      self->arrived();
      self->wait();
    });
  }

  boost::asio::signal_set set;
  std::function<void()> arrived;
};

caught_signals::caught_signals(io_thread& on) : state_(std::make_shared<state>(on.context())) {}

shutdown_signals::shutdown_signals(const caught_signals& caught, std::function<void()> arrived)
    : state_(caught.state_) {
  boost::asio::post(state_->set.get_executor(), [s = state_, call = std::move(arrived)]() mutable {
    s->arrived = std::move(call);
    s->wait();
  });
}

shutdown_signals::~shutdown_signals() {
  std::promise<void> forgotten;
  boost::asio::post(state_->set.get_executor(), [s = state_, &forgotten] {
    s->set.cancel();
    s->arrived = {};
    forgotten.set_value();
  });
  forgotten.get_future().wait();
}

void ignore_broken_pipes() {
  std::signal(SIGPIPE, SIG_IGN);
}

}  // namespace egress
