#include "actors/dns/worker_actor.hpp"

#include <caf/send.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <utility>

#include "runtime/actor/system.hpp"
#include "runtime/base/log.hpp"

namespace egress {

std::set<std::size_t> orphans_of(const directory& everyone, std::size_t index) {
  std::set<std::size_t> away;
  bool first = true;
  for (std::size_t i = 0; i < everyone.dns_workers.size(); ++i) {
    if (!everyone.dns_workers[i]) away.insert(i);
    if (everyone.dns_workers[i] && i < index) first = false;
  }
  return first ? away : std::set<std::size_t>{};
}

dns_worker_actor::behavior_type dns_worker_behavior(dns_worker_actor::stateful_pointer<dns_worker_state> self,
                                                    std::size_t index, packet_loop_factory start) {
  log_exceptions(self, "dns_worker");
  const auto weak = caf::actor_cast<caf::weak_actor_ptr>(dns_worker_actor{self});
  self->state.loop = start(index, [weak](std::string why) {
    if (auto strong = weak.lock())
      caf::anon_send(caf::actor_cast<dns_worker_actor>(strong), loop_failed_atom{}, std::move(why));
  });
  return {
      [self, index](const directory_ptr& everyone) {
        self->state.loop->serve_also(orphans_of(*everyone, index));
        // Each subscription brings a table: one that is known to last is not asked for again.
        const auto before = std::exchange(self->state.subscribed, everyone->dns);
        if (everyone->dns && everyone->dns != before)
          self->send(everyone->dns, subscribe_atom{}, dns_worker_actor{self});
      },
      [self](const hijack_table_ptr& table) { self->state.loop->set_table(table); },
      [self, index](loop_failed_atom, const std::string& why) {
        log::error("a DNS packet loop failed", {{"worker", index}, {"error", why}});
        self->quit(caf::exit_reason::unhandled_exception);
      },
  };
}

}  // namespace egress
