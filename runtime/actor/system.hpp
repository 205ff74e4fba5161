#pragma once
// How the actor system is set up, in code and not in files: CAF reads no configuration of ours.

#include <boost/asio/io_context.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/scheduled_actor.hpp>

#include "runtime/base/time.hpp"

namespace egress {

class system_config : public caf::actor_system_config {
 public:
  // Actors run on the thread that runs `on` (io_scheduler).
  explicit system_config(boost::asio::io_context& on);
  // The test coordinator in the scheduler's place: virtual time.
  struct testing {};
  explicit system_config(testing);
};

// What an unhandled exception in a handler ends in: a log line with the actor's id, and the actor's death.
// CAF's own handler would print on stdout.
void log_exceptions(caf::scheduled_actor* self, const char* id);

// The messages that the actor has fetched and not handled yet; from within a handler. (CAF's own
// mailbox().size() fetches in the middle of a round, which it must not: undefined behaviour.)
std::size_t waiting_messages(caf::scheduled_actor* self);

// The actor's clock: virtual in tests.
steady_time now(caf::scheduled_actor* self);

}  // namespace egress
