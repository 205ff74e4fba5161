#include "runtime/actor/system.hpp"

#include <caf/actor_system.hpp>
#include <caf/exit_reason.hpp>
#include <exception>
#include <thread>

#include "runtime/actor/messages.hpp"
#include "runtime/base/log.hpp"

namespace egress {

system_config::system_config(std::size_t threads, bool testing) {
  if (threads == 0) threads = std::max(1u, std::thread::hardware_concurrency());
  // `stealing`, the default, polls for work: up to 9 % of a core when idle.
  set("scheduler.policy", caf::atom(testing ? "testing" : "sharing"));
  set("scheduler.max-threads", threads);
}

void log_exceptions(caf::scheduled_actor* self, const char* id) {
  self->set_exception_handler([id](std::exception_ptr& failure) -> caf::error {
    try {
      std::rethrow_exception(failure);
    } catch (const std::exception& e) {
      log::error("actor died of an exception", {{"actor", id}, {"error", e.what()}});
    } catch (...) {
      log::error("actor died of an unknown exception", {{"actor", id}});
    }
    return caf::exit_reason::unhandled_exception;
  });
}

steady_time now(caf::scheduled_actor* self) {
  return self->clock().now();
}

std::size_t waiting_messages(caf::scheduled_actor* self) {
  return self->mailbox().queue().total_task_size();
}

}  // namespace egress
