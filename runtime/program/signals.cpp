#include "runtime/program/signals.hpp"

#include <sys/signalfd.h>
#include <unistd.h>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <cerrno>
#include <csignal>
#include <future>
#include <system_error>

namespace egress {
namespace {

int open_signals(const sigset_t& which) {
  const int made = signalfd(-1, &which, SFD_NONBLOCK | SFD_CLOEXEC);
  if (made < 0) throw std::system_error(errno, std::generic_category(), "signalfd");
  return made;
}

sigset_t ending_signals() {
  sigset_t made;
  sigemptyset(&made);
  sigaddset(&made, SIGINT);
  sigaddset(&made, SIGTERM);
  return made;
}

}  // namespace

struct caught_signals::state : std::enable_shared_from_this<state> {
  explicit state(boost::asio::io_context& on) : pending(on, open_signals(ending_signals())) {}

  void wait() {
    pending.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                       [self = shared_from_this()](const boost::system::error_code& ended) {
                         if (ended || !self->arrived) return;
                         if (self->take_one()) self->arrived();
                         self->wait();
                       });
  }

  bool take_one() {
    signalfd_siginfo which{};
    return ::read(pending.native_handle(), &which, sizeof which) == sizeof which;
  }

  boost::asio::posix::stream_descriptor pending;
  std::function<void()> arrived;
};

caught_signals::blocked::blocked() {
  const auto which = ending_signals();
  pthread_sigmask(SIG_BLOCK, &which, nullptr);
}

caught_signals::caught_signals() : state_(std::make_shared<state>(io_.context())) {}

caught_signals::~caught_signals() = default;

shutdown_signals::shutdown_signals(const caught_signals& caught, std::function<void()> arrived)
    : state_(caught.state_) {
  boost::asio::post(state_->pending.get_executor(), [s = state_, call = std::move(arrived)]() mutable {
    s->arrived = std::move(call);
    s->wait();
  });
}

shutdown_signals::~shutdown_signals() {
  std::promise<void> forgotten;
  boost::asio::post(state_->pending.get_executor(), [s = state_, &forgotten] {
    s->pending.cancel();
    s->arrived = {};
    forgotten.set_value();
  });
  forgotten.get_future().wait();
}

void ignore_broken_pipes() {
  std::signal(SIGPIPE, SIG_IGN);
}

}  // namespace egress
