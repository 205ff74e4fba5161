#include "runtime/program/signals.hpp"

#include <boost/asio/post.hpp>
#include <csignal>

namespace egress {

struct shutdown_signals::state : std::enable_shared_from_this<state> {
  state(boost::asio::io_context& on, std::function<void()> call)
      : set(on, SIGINT, SIGTERM), arrived(std::move(call)) {}

  void wait() {
    set.async_wait([self = shared_from_this()](const boost::system::error_code& ended, int) {
      if (ended) return;
      self->arrived();
      self->wait();
    });
  }

  boost::asio::signal_set set;
  std::function<void()> arrived;
};

shutdown_signals::shutdown_signals(io_thread& on, std::function<void()> arrived)
    : state_(std::make_shared<state>(on.context(), std::move(arrived))) {
  boost::asio::post(on.context(), [s = state_] { s->wait(); });
}

shutdown_signals::~shutdown_signals() {
  boost::asio::post(state_->set.get_executor(), [s = state_] { s->set.cancel(); });
}

void ignore_broken_pipes() {
  std::signal(SIGPIPE, SIG_IGN);
}

}  // namespace egress
