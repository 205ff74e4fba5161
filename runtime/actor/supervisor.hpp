#pragma once
// The one pattern of supervision: a list of children, each monitored once; who dies is started again as its
// restart policy says, and everyone gets a new directory. See actors.hpp for why that repairs lost messages.

#include <functional>
#include <string>
#include <vector>

#include "runtime/actor/messages.hpp"
#include "runtime/actor/restart_policy.hpp"

namespace egress {

struct supervised_child {
  std::string id;  // "informer/Service"
  restart_limits limits;
  // Spawns the actor and writes its handle into the directory. May throw: that counts as a death.
  std::function<member_actor(caf::actor_system&, directory&)> start;
  // Takes the handle out of the directory while the child waits for its restart.
  std::function<void(directory&)> clear;
  // Not started again once the shutdown has begun: what it gave up then stays given up.
  bool only_while_running = false;
};

struct shutdown_times {
  seconds drain{30};     // for the reconciles under way
  seconds release{5};    // of the Lease, when the last reconcile is done
  seconds lame_duck{5};  // DNS goes on after readiness has gone, so that resolvers notice
  seconds grace{5};      // from EXIT to kill
};

struct supervisor_config {
  std::vector<supervised_child> children;  // in the order of their start; ended in reverse
  shutdown_times times;
  // Called once, on the actors' thread, when all is over: with the process' exit code.
  std::function<void(int)> ended;
  // Told of every death, for the metrics.
  std::function<void(const std::string& id)> died = [](const std::string&) {};
};

struct supervisor_state;
supervisor_actor::behavior_type supervisor_behavior(supervisor_actor::stateful_pointer<supervisor_state> self,
                                                    supervisor_config config);

struct supervised {
  supervised_child what;
  restart_policy policy;
  member_actor handle;  // null while it waits for its restart
  std::uint64_t generation = 0;
};

struct supervisor_state {
  static inline const char* name = "supervisor";
  supervisor_actor::pointer self = nullptr;
  supervisor_config config;
  std::vector<supervised> children;
  directory current;
  enum class phase { running, draining, releasing, lame_duck, exiting, over } where = phase::running;
  std::uint64_t phase_generation = 0;
  bool drained = false;  // no reconcile is under way any more
  int exit_code = 0;

  void start_all();
  void start(supervised& child);
  void broadcast();
  void on_down(const caf::actor_addr& who, const caf::error& why);
  void died(supervised& child);
  void restart(const std::string& id, std::uint64_t generation);
  void begin_shutdown(int code);
  void next_phase();
  void release();
  void enter(phase next, milliseconds longest);
  void exit_children(caf::exit_reason reason);
  void end();
};

}  // namespace egress
