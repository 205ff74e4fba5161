#pragma once
// Decides which ExternalService is reconciled next, and gives its reconciler what it needs. Holds the work
// queue, the latest snapshot of every kind, and the reconcilers: one an ExternalService that has something to
// do, or had lately, supervised here. One that dies is a failed run of its key, nothing more.

#include <array>
#include <deque>
#include <functional>
#include <map>
#include <random>
#include <set>
#include <string>
#include <unordered_map>

#include "actors/reconciler/dns_names.hpp"
#include "actors/reconciler/events.hpp"
#include "actors/reconciler/first_runs.hpp"
#include "actors/reconciler/work_queue.hpp"
#include "runtime/actor/health_teller.hpp"
#include "runtime/actor/messages.hpp"

namespace egress {

// What the metrics want to know of the queue and of runs; called on the dispatcher's thread.
struct dispatcher_observer {
  std::function<void(std::chrono::nanoseconds queued)> taken = [](auto) {};
  std::function<void(std::chrono::nanoseconds worked, const reconciler::verdict&)> done = [](auto, auto&) {};
  std::function<void(const kube::published& now)> learnt = [](auto&) {};
  std::function<void(const reconciler::queue_metrics&)> queue = [](auto&) {};
  std::function<void(std::size_t messages)> mailbox = [](auto) {};  // that wait behind the one in work
  // A field that the server does not keep as we write it; once each.
  std::function<void(kube::kind, const std::string& pointer)> ineffective = [](auto, auto&) {};
};

struct dispatcher_config {
  unsigned max_concurrent = 16;
  // Spawns the reconciler of a key; in tests, one that misbehaves.
  std::function<reconciler_actor(caf::local_actor* parent, const std::string& key)> spawn_reconciler;
  // The status that says a run ended in our own failure; sent for a reconciler that died.
  std::function<kube::request(const kube::object& service)> internal_error;
  dispatcher_observer observe;
  std::string instance;  // of Events: the pod's name
  wall_time (*clock)() = [] { return std::chrono::system_clock::now(); };
};

struct dispatcher_state;
dispatcher_actor::behavior_type dispatcher_behavior(dispatcher_actor::stateful_pointer<dispatcher_state> self,
                                                    dispatcher_config config);

struct dispatcher_state {
  static inline const char* name = "dispatcher";

  struct worker {
    reconciler_actor handle;  // null: there was nothing to do for a while
    std::shared_ptr<reconciler::memory> memory;
    bool busy = false;
  };

  dispatcher_actor::pointer self = nullptr;
  dispatcher_config config;
  std::unique_ptr<reconciler::work_queue> queue;
  std::array<kube::published, kube::watched_kinds.size()> known;
  reconciler::dns_names names;
  reconciler::first_runs first;
  std::unique_ptr<reconciler::event_recorder> events;
  std::array<reconciler::ineffective_fields, kube::child_count> ineffective;
  std::unordered_map<std::string, worker> workers;
  std::map<caf::actor_addr, std::string> keys;  // of the workers that have a reconciler, for DOWN
  std::deque<std::string> resting;              // those of them that finished, as they did
  directory_ptr everyone;
  health_teller health;
  std::set<steady_time> armed;  // when ticks come
  std::mt19937_64 random{std::random_device{}()};
  caf::typed_response_promise<ok_atom> drained;
  bool draining = false;
  bool watchdog_set = false;   // over busy reconcilers: a watchdog_atom is on its way
  std::uint64_t term = 0;      // the leader's, for all that is written from now on
  bool ipv6_services = false;  // of the Services seen so far one had an address of it
  bool no_status = false;      // it was said that the definition has no status subresource

  dispatcher_state();
  // Reconcilers do not outlive the dispatcher that feeds them: its successor spawns its own.
  ~dispatcher_state();

  const kube::published& of(kube::kind kind) const { return known[static_cast<std::size_t>(kind)]; }
  void use(const directory_ptr& next);
  void learn(const reconcile_result& result);
  void lead(std::uint64_t next_term);
  bool synced() const;
  bool may_reconcile() const;
  void pump();
  // False when it is over already: there is no such ExternalService, or no reconciler can be had.
  bool run(const reconciler::job& job);
  payload<reconcile_work> work_for(const reconciler::job& job, const kube::object_ptr& service,
                                   const worker& by) const;
  void finished(const std::string& key, const reconciler::verdict& how);
  void conclude(const std::string& key, const reconciler::verdict& how);
  // dispatcher_actor_changes.cpp
  void learn(const informer_update& update);
  void external_service_changed(const std::string& key, reconciler::priority how);
  void child_changed(kube::kind kind, const std::string& key, reconciler::priority how);
  // A list tells of no child that came and went while there was no watch: ours, perhaps, that only we knew
  // of.
  void look_for_own_writes(kube::kind kind);
  // Whether that child is as our last write of it was answered, and can wait. Not while its key is processed.
  bool own_write_came(std::size_t child, const std::string& key);
  // Whether the events that came while the key was processed tell of nothing but its own writes.
  bool only_own_writes_came(const std::string& key);
  // dispatcher_actor_workers.cpp
  worker& worker_of(const std::string& key);
  void rest(const std::string& key);
  void set_watchdog();
  void watchdog();
  void send_home(worker& one);
  void retire(const std::string& key);
  void worker_died(const caf::actor_addr& who, const caf::error& why);
  void arm_timer();
  void tell(const std::vector<reconciler::happening>& happenings);
  void send_and_forget(
      kube::request what, std::function<void(const kube::reply&)> on_reply = [](const kube::reply&) {});
  void report();
};

}  // namespace egress
