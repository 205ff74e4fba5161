#pragma once
// SIGTERM and SIGINT, as a call on a thread of their own.

#include <functional>
#include <memory>

#include "runtime/actor/io_thread.hpp"

namespace egress {

// From here to the end of the process a signal ends nothing: it waits for shutdown_signals, so that what is
// being set up is taken down, and one that comes when all is down does not take the exit code with it.
// Blocked, not handled: removing a handler at the end would restore the default action, which kills. Before
// other threads are started: each has the mask of the one that starts it.
class caught_signals {
 public:
  caught_signals();  // throws std::system_error when there is no descriptor left
  ~caught_signals();
  caught_signals(const caught_signals&) = delete;
  caught_signals& operator=(const caught_signals&) = delete;

 private:
  friend class shutdown_signals;
  struct state;
  struct blocked {
    blocked();
  };
  blocked first_;  // a thread has the mask of the one that starts it
  io_thread io_{"signals"};
  std::shared_ptr<state> state_;
};

class shutdown_signals {
 public:
  // `arrived` is called on the signals' thread, once a signal, also one that was caught before; the second
  // one may cut a shutdown short. Signals that come faster than they are taken count as one.
  shutdown_signals(const caught_signals& caught, std::function<void()> arrived);
  // Afterwards nothing is called any more. Not on the signals' thread.
  ~shutdown_signals();
  shutdown_signals(const shutdown_signals&) = delete;
  shutdown_signals& operator=(const shutdown_signals&) = delete;

 private:
  std::shared_ptr<caught_signals::state> state_;
};

// A peer that is gone is an error of write(2), not a signal.
void ignore_broken_pipes();

}  // namespace egress
