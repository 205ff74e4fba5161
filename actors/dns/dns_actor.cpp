#include "actors/dns/dns_actor.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include "runtime/actor/system.hpp"
#include "runtime/base/log.hpp"

namespace egress {

void dns_state::use(const directory_ptr& everyone) {
  metrics = everyone->metrics;
  for (const auto kind : {kube::kind::external_service, kube::kind::service})
    if (const auto& informer = everyone->informers[static_cast<std::size_t>(kind)])
      self->send(informer, subscribe_atom{}, update_consumer{self});
  report();
}

void dns_state::learn(const informer_update& update) {
  (update.current.of == kube::kind::service ? services : external_services) = update.current;
  // Until both are known there is no table: a name whose Service is missing may be one that must not leak.
  if (!services.synced || !external_services.synced) return;
  auto built =
      dns::build_hijack_table(services.objects, external_services.objects, table.get(), config.table);
  for (const auto& complaint : built.complaints) log::warn("not hijacked", {{"why", complaint}});
  const bool first = !table;
  table = std::move(built.table);
  config.published(*table);
  publish();
  if (first) report();
}

void dns_state::publish() {
  for (auto next = workers.begin(); next != workers.end();) {
    const auto worker = caf::actor_cast<dns_worker_actor>(next->second.lock());
    if (worker) self->send(worker, table);
    next = worker ? std::next(next) : workers.erase(next);
  }
}

void dns_state::report() {
  if (!metrics) return;
  auto health = std::make_shared<health_report>();
  health->part = "dns";
  health->ready = table != nullptr;
  health->waits_for = table ? "" : "the first lists of Services and ExternalServices";
  health->objects = table ? table->size() : 0;
  self->send(metrics, payload<health_report>{std::move(health)});
}

dns_actor::behavior_type dns_behavior(dns_actor::stateful_pointer<dns_state> self, dns_actor_config config) {
  log_exceptions(self, "dns");
  self->state.self = self;
  self->state.config = std::move(config);
  return {
      [self](const directory_ptr& everyone) { self->state.use(everyone); },
      [self](const payload<informer_update>& update) {
        self->state.learn(*update);
        return ok_atom{};
      },
      [self](subscribe_atom, const dns_worker_actor& worker) {
        self->state.workers[worker.id()] = caf::actor_cast<caf::weak_actor_ptr>(worker);
        if (self->state.table) self->send(worker, self->state.table);
      },
  };
}

}  // namespace egress
