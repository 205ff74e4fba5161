// The reconcilers of a dispatcher: when they come, and when they go.

#include <caf/send.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include "actors/reconciler/dispatcher_actor.hpp"
#include "runtime/base/log.hpp"

namespace egress {
namespace {

// So many stay that finished last: a run is often followed by another, for what the first one wrote. An actor
// takes 2 KiB, and some microseconds to make.
constexpr std::size_t most_resting = 64;
// How often reconcilers under way are to look for answers that do not come.
constexpr seconds look_every{20};

}  // namespace

dispatcher_state::worker& dispatcher_state::worker_of(const std::string& key) {
  auto& worker = workers[key];
  if (!worker.memory) worker.memory = std::make_shared<reconciler::memory>();
  if (!worker.handle) {
    worker.handle = config.spawn_reconciler(self, key);
    self->monitor(worker.handle);
    keys[worker.handle.address()] = key;
  }
  return worker;
}

void dispatcher_state::rest(const std::string& key) {
  const auto found = workers.find(key);
  if (found == workers.end()) return;
  found->second.busy = false;
  resting.push_back(key);
  // Who has worked since, and rests again, goes a little early: nothing is lost with it.
  while (resting.size() > most_resting) {
    const auto longest = workers.find(resting.front());
    resting.pop_front();
    if (longest != workers.end() && !longest->second.busy) send_home(longest->second);
  }
}

void dispatcher_state::set_watchdog() {
  if (!std::exchange(watchdog_set, true))
    self->delayed_send(dispatcher_actor{self}, look_every, watchdog_atom{});
}

void dispatcher_state::watchdog() {
  watchdog_set = false;
  for (const auto& [key, worker] : workers) {
    if (!worker.busy) continue;
    self->send(worker.handle, tick_atom{});
    set_watchdog();
  }
}

void dispatcher_state::send_home(worker& one) {
  if (!one.handle) return;
  keys.erase(one.handle.address());
  self->send_exit(one.handle, caf::exit_reason::user_shutdown);
  one.handle = nullptr;
}

void dispatcher_state::retire(const std::string& key) {
  const auto found = workers.find(key);
  if (found == workers.end()) return;
  send_home(found->second);
  workers.erase(found);
}

void dispatcher_state::worker_died(const caf::actor_addr& who, const caf::error& why) {
  const auto found = keys.find(who);
  if (found == keys.end()) return;
  const auto key = found->second;
  const bool busy = workers[key].busy;
  keys.erase(found);
  workers.erase(key);
  log::error("a reconciler died", {{"externalservice", key}, {"reason", caf::to_string(why)}});
  if (!busy) return;
  if (const auto service = of(kube::kind::external_service).objects.find(key);
      service && everyone->kube_api) {
    send_and_forget(config.internal_error(*service));
  }
  finished(key, {.success = false, .requeue_after = {}});
}

}  // namespace egress
