#pragma once
// CAF's scheduler on an I/O thread: actors run where the sockets are read that they wait for, and where the
// requests leave that they make. No message wakes another thread.
// (docs/decisions/0018-actors-on-the-io-thread.md)

#include <boost/asio/io_context.hpp>
#include <caf/actor_system.hpp>
#include <caf/scheduler/abstract_coordinator.hpp>
#include <memory>

namespace egress {

class io_clock;

// Made by the actor system, on the thread that makes it (system_config). The io_context has to run until the
// system is gone, on one thread, which is another one than destroys the system.
class io_scheduler final : public caf::scheduler::abstract_coordinator {
 public:
  io_scheduler(caf::actor_system& of, boost::asio::io_context& on);
  ~io_scheduler() override;

  // From any thread.
  void enqueue(caf::resumable* what) override;
  caf::actor_clock& clock() noexcept override;

 protected:
  // Waits for the thread: when it returns no actor runs, none will, and no timer of theirs fires.
  void stop() override;

 private:
  class worker;
  boost::asio::io_context& on_;
  std::shared_ptr<worker> worker_;
  std::shared_ptr<io_clock> clock_;
};

}  // namespace egress
