// What informers tell: which keys have something to do for it, and how urgently.

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include "actors/reconciler/desired_children.hpp"
#include "actors/reconciler/dispatcher_actor.hpp"
#include "runtime/actor/system.hpp"

namespace egress {

using reconciler::priority;

void dispatcher_state::learn(const informer_update& update) {
  const auto kind = update.current.of;
  const bool of_external_services = kind == kube::kind::external_service;
  const auto how = !update.initial        ? priority::people
                   : of_external_services ? priority::listed
                                          : priority::background;
  // An informer that was started anew never knew what went while there was none.
  const auto gone = update.initial ? kube::names_gone(of(kind).objects, update.current.objects)
                                   : std::vector<std::string>{};
  const bool listed = of(kind).epoch != update.current.epoch;
  known[static_cast<std::size_t>(kind)] = update.current;
  config.observe.learnt(update.current);
  const auto look_at = [&](const std::string& key) {
    of_external_services ? external_service_changed(key, how) : child_changed(kind, key, how);
  };
  std::ranges::for_each(update.changed, look_at);
  std::ranges::for_each(gone, look_at);
  if (listed && !of_external_services) look_for_own_writes(kind);
  // Whoever waited for a name that is now free, or has just lost it, has something to do as well.
  for (const auto& one : names.take_affected()) queue->add(one, how, 0, now(self));
  report();
  pump();
}

void dispatcher_state::external_service_changed(const std::string& key, priority how) {
  const auto external_service = of(kube::kind::external_service).objects.find(key);
  external_service ? names.set(*external_service) : names.remove(key);
  first.changed(key, how == priority::listed);
  queue->add(key, how, 0, now(self));
}

void dispatcher_state::child_changed(kube::kind kind, const std::string& key, priority how) {
  if (kind == kube::kind::service && !ipv6_services) {
    const auto live = of(kind).objects.find(key);
    ipv6_services = live && reconciler::has_ipv6_address(live->as_child());
  }
  // One that is gone may come again before its last run is over: then the next has to know.
  if (!workers.contains(key) && !of(kube::kind::external_service).objects.find(key)) return;
  const auto i = kube::child_index(kind);
  const auto bit = static_cast<reconciler::kind_mask>(1u << i);
  // Its first status is still to come, and looks at all there is.
  const bool can_wait = first.contains(key) && own_write_came(i, key);
  queue->add(key, can_wait ? priority::last : how, bit, now(self));
}

void dispatcher_state::look_for_own_writes(kube::kind kind) {
  const auto i = kube::child_index(kind);
  for (const auto& [key, worker] : workers)
    if (worker.busy || (worker.memory && worker.memory->expected.is_overtaken(i, of(kind).epoch)))
      queue->add(key, priority::background, static_cast<reconciler::kind_mask>(1u << i), now(self));
}

bool dispatcher_state::own_write_came(std::size_t child, const std::string& key) {
  const auto found = workers.find(key);
  // A run has the memory while it lasts.
  if (found == workers.end() || found->second.busy || !found->second.memory) return false;
  const auto& now = of(kube::child_kinds[child]);
  const auto live = now.objects.find(key);
  auto& memory = *found->second.memory;
  return live && !reconciler::tells_others(live->as_child(), memory.rendered) &&
         memory.expected.has_come(child, *live, now.epoch);
}

bool dispatcher_state::only_own_writes_came(const std::string& key) {
  const auto came = queue->changed_meanwhile(key);
  bool only = came != 0 && first.contains(key);
  for (std::size_t i = 0; only && i < kube::child_count; ++i)
    if ((came >> i & 1) != 0) only = own_write_came(i, key);
  return only;
}

}  // namespace egress
