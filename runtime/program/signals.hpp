#pragma once
// SIGTERM and SIGINT, as a call on the I/O thread.

#include <boost/asio/signal_set.hpp>
#include <functional>

#include "runtime/actor/bridge.hpp"

namespace egress {

class shutdown_signals {
 public:
  // `arrived` is called on the I/O thread, once a signal; the second one may cut a shutdown short.
  shutdown_signals(io_thread& on, std::function<void()> arrived);
  ~shutdown_signals();
  shutdown_signals(const shutdown_signals&) = delete;
  shutdown_signals& operator=(const shutdown_signals&) = delete;

 private:
  struct state;
  std::shared_ptr<state> state_;
};

// A peer that is gone is an error of write(2), not a signal.
void ignore_broken_pipes();

}  // namespace egress
