#include "actors/dns/dns_actor.hpp"

#include <time.h>

#include <algorithm>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <iterator>

#include "runtime/actor/system.hpp"
#include "runtime/base/log.hpp"

namespace egress {
namespace {

// A hijacked name must be answered within 10 ms of its Service's change.
constexpr milliseconds pause_between_builds{5};
// So much of the tenth of a core that building may take is there for a burst of changes: 50 ms of work.
constexpr milliseconds burst{500};
// The rest waits for others of its kind, so long at most: while gateways are made by the hundred, each would
// be a table.
constexpr milliseconds gathering{100}, longest_gathering{1'000};
// A table for them alone comes so many times what one takes after the last, which is a thousandth of a core
// (a hundredth was a tenth of what the controller took while 10,000 were made, a third of that still a
// twentieth); but no later than this.
constexpr int times_what_one_takes = 1'000;
constexpr milliseconds longest_pause{5'000};

}  // namespace

steady_time::duration thread_cpu_time() {
  timespec used{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  return std::chrono::seconds{used.tv_sec} + std::chrono::nanoseconds{used.tv_nsec};
}

void dns_state::use(const directory_ptr& everyone) {
  health.use(everyone->metrics);
  // Each subscription brings all that there is: one that is known to last is not asked for again.
  for (const auto kind : {kube::kind::external_service, kube::kind::service}) {
    const auto& informer = everyone->informers[static_cast<std::size_t>(kind)];
    const auto before = std::exchange(subscribed[static_cast<std::size_t>(kind)], informer);
    if (informer && informer != before) self->send(informer, subscribe_atom{}, update_consumer{self});
  }
  report();
}

namespace {

bool hijacks(const kube::object_ptr& one) {
  if (!one) return false;
  return one->of == kube::kind::external_service ? one->as_external_service().spec.hijack_dns
                                                 : one->as_child().hijack_label == "true";
}

bool same_for_dns(const kube::object& then, const kube::object& now) {
  if (then.meta.deleting != now.meta.deleting || then.meta.uid != now.meta.uid) return false;
  if (now.of == kube::kind::external_service) {
    const auto &before = then.as_external_service().spec, &after = now.as_external_service().spec;
    return before.dns_name == after.dns_name && before.hijack_dns == after.hijack_dns &&
           before.dns_clients == after.dns_clients && before.ports == after.ports;
  }
  const auto &before = then.as_child(), &after = now.as_child();
  return before.hijack_label == after.hijack_label && before.dns_name == after.dns_name &&
         before.cluster_ips == after.cluster_ips && before.controller == after.controller;
}

}  // namespace

urgency urgency_of(const kube::object_ptr& then, const kube::object_ptr& now) {
  if (then && now && same_for_dns(*then, *now)) return urgency::none;
  // A new ExternalService has no Service yet: nothing is answered from it before that.
  if (!then && now && now->of == kube::kind::external_service) return urgency::soon;
  return hijacks(then) || hijacks(now) ? urgency::at_once : urgency::soon;
}

void dns_state::learn(const informer_update& update) {
  config.mailbox(waiting_messages(self));
  auto& known = update.current.of == kube::kind::service ? services : external_services;
  auto how = known.synced ? urgency::none : urgency::at_once;
  auto names = update.changed;
  // An informer that was started anew never knew what went while there was none.
  if (update.initial)
    std::ranges::move(kube::names_gone(known.objects, update.current.objects), std::back_inserter(names));
  for (const auto& one : names) {
    if (how == urgency::at_once) break;
    how = std::max(how, urgency_of(known.objects.find(one), update.current.objects.find(one)));
    // Its Service was heard of first.
    if (how == urgency::soon && &known == &external_services && hijacks(services.objects.find(one)))
      how = urgency::at_once;
  }
  known = update.current;
  // Until both are known there is no table: a name whose Service is missing may be one that must not leak.
  if (!services.synced || !external_services.synced) return;
  if (!table) return build();
  if (how == urgency::none) return;
  if (!waiting_since) waiting_since = now(self);
  if (how == urgency::at_once) return build_at(now(self), how);
  const auto gathered = std::min(now(self) + gathering, *waiting_since + longest_gathering);
  build_at(
      std::max(gathered, built + std::min<steady_time::duration>(longest_pause, times_what_one_takes * took)),
      how);
}

// What is urgent is moved to no later time by what is not.
void dns_state::build_at(steady_time wanted, urgency how) {
  const auto at = std::max({wanted, built + pause_between_builds, paid});
  if (at <= now(self)) return build();
  const bool keeps = due && due_for == urgency::at_once && (how != urgency::at_once || *due <= at);
  if (!keeps) {
    due = at;
    due_for = how;
  }
  wake_at(*due);
}

void dns_state::wake_at(steady_time when) {
  if (wakes && *wakes > now(self) && *wakes <= when) return;
  wakes = when;
  self->delayed_send(dns_actor{self}, when - now(self), tick_atom{});
}

void dns_state::timer() {
  // One that an earlier one took the place of.
  if (!wakes || now(self) < *wakes) return;
  wakes.reset();
  if (!due) return;
  if (*due <= now(self)) return build();
  wake_at(*due);
}

void dns_state::build() {
  const auto began = config.cpu_time();
  const auto previous = config.memory->get();
  auto made =
      dns::build_hijack_table(services.objects, external_services.objects, previous.get(), config.table);
  complain(made.complaints);
  const bool first = !table;
  table = std::move(made.table);
  config.memory->set(table);
  config.published(table);
  publish();
  if (waiting_since) config.programmed(now(self) - *waiting_since);
  waiting_since.reset();
  if (first) report();
  built = now(self);
  took = config.cpu_time() - began;
  // A large table takes its time: building may take a tenth of a core, not all of it.
  paid = std::max(paid, built - burst) + 10 * took;
  due.reset();
}

// Each build finds the same faults: only new ones are news.
void dns_state::complain(const std::vector<std::string>& now) {
  std::set<std::string> all(now.begin(), now.end());
  for (const auto& one : all)
    if (!complaints.contains(one)) log::warn("not hijacked", {{"why", one}});
  complaints = std::move(all);
}

void dns_state::publish() {
  for (auto next = workers.begin(); next != workers.end();) {
    const auto worker = caf::actor_cast<dns_worker_actor>(next->second.lock());
    if (worker) self->send(worker, table);
    next = worker ? std::next(next) : workers.erase(next);
  }
}

void dns_state::report() {
  // The table of an earlier life, or of a file, is answered from all the same.
  const bool known = config.memory->get() != nullptr;
  health.tell({.part = "dns",
               .ready = known,
               .waits_for = known ? "" : "the first lists of Services and ExternalServices"});
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
      [self](tick_atom) { self->state.timer(); },
  };
}

}  // namespace egress
