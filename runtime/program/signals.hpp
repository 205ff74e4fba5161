#pragma once
// SIGTERM and SIGINT, as a call on the I/O thread.

#include <boost/asio/signal_set.hpp>
#include <functional>
#include <memory>

#include "runtime/actor/bridge.hpp"

namespace egress {

// From here on a signal ends nothing: it waits for shutdown_signals, so that what is being set up is taken
// down.
class caught_signals {
 public:
  explicit caught_signals(io_thread& on);

 private:
  friend class shutdown_signals;
  struct state;
  std::shared_ptr<state> state_;
};

class shutdown_signals {
 public:
  // `arrived` is called on the I/O thread, once a signal, also one that was caught before; the second one may
  // cut a shutdown short.
  shutdown_signals(const caught_signals& caught, std::function<void()> arrived);
  // Afterwards nothing is called any more. Not on the I/O thread.
  ~shutdown_signals();
  shutdown_signals(const shutdown_signals&) = delete;
  shutdown_signals& operator=(const shutdown_signals&) = delete;

 private:
  std::shared_ptr<caught_signals::state> state_;
};

// A peer that is gone is an error of write(2), not a signal.
void ignore_broken_pipes();

}  // namespace egress
