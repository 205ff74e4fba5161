#include "runtime/actor/system.hpp"

#include <caf/actor_system.hpp>
#include <caf/exit_reason.hpp>
#include <exception>

#include "runtime/actor/io_scheduler.hpp"
#include "runtime/actor/messages.hpp"
#include "runtime/base/log.hpp"

namespace egress {

system_config::system_config(boost::asio::io_context& on) {
  module_factories.emplace_back(
      [&on](caf::actor_system& of) -> caf::actor_system::module* { return new io_scheduler(of, on); });
}

system_config::system_config(testing) {
  set("scheduler.policy", caf::atom("testing"));
  set("scheduler.max-threads", std::size_t{1});
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
