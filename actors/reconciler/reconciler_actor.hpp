#pragma once
// One ExternalService: brings its children and its status to what it says. A run is six child tasks, all but
// one at once, then the status; the logic of each is pure. What is to be remembered between runs comes with
// the work (memory.hpp): the actor itself may go whenever there is nothing to do.

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "actors/reconciler/child_task.hpp"
#include "actors/reconciler/memory.hpp"
#include "actors/reconciler/status.hpp"
#include "runtime/actor/messages.hpp"
#include "runtime/base/settings.hpp"
#include "runtime/kube/projection.hpp"

namespace egress {

// The same for every reconciler of the process.
struct reconciler_config {
  gateway_settings gateways;
  kube::projection_rules rules;
  std::vector<std::string> search_domains;  // of our resolv.conf
  // The wall clock, for conditions.
  wall_time (*clock)() = [] { return std::chrono::system_clock::now(); };
};

struct reconciler_state;
reconciler_actor::behavior_type reconciler_behavior(reconciler_actor::stateful_pointer<reconciler_state> self,
                                                    std::shared_ptr<const reconciler_config> config);

// The status write for a reconciler that died: Ready=False, InternalError.
kube::request internal_error_status(const kube::object& service, const reconciler_config& config,
                                    const std::string& why);

struct reconciler_state {
  static inline const char* name = "reconciler";

  // What the API server is asked in a run, and has not answered yet.
  struct question {
    std::function<void(const kube::reply&)> handler;
    steady_time until;
  };

  // What is only there while a run is under way.
  struct run {
    payload<reconcile_work> work;
    caf::strong_actor_ptr dispatcher;
    reconciler::seen_children seen;
    reconciler::live_children live;
    std::optional<reconciler::refusal> refused;
    std::string config_hash;
    bool ipv6 = false;  // the gateway listens on it
    std::vector<reconciler::child_task> tasks;
    std::array<kube::digest, kube::child_count> wanted{};
    milliseconds paused{0};  // the longest that a child's write must wait
    reconciler::child_outcomes outcomes;
    std::map<std::uint64_t, question> asked;
    std::size_t under_way = 0;
    bool autoscaler_waits = false;  // for what becomes of the Deployment
    std::vector<reconciler::happening> happenings;
    std::vector<reconciler::happening> status_tells;  // more of them, if the status is written
    bool failed = false;
    milliseconds asked_to_wait{0};  // by who did not take the status
    bool no_status = false;         // the definition has no status subresource
    bool status_later = false;
    bool asked_pods = false;
    std::string waits_for_listeners;  // see status_facts
  };

  reconciler_actor::pointer self = nullptr;
  std::shared_ptr<const reconciler_config> config;
  std::uint64_t questions = 0;  // that were ever asked
  std::unique_ptr<run> current;

  reconciler::memory& memory() const { return *current->work->memory; }
  void begin(const payload<reconcile_work>& work);
  void children_done();
  // reconciler_actor_tasks.cpp
  void start_tasks();
  std::string previous_cluster_ip() const;
  void start_autoscaler(reconciler::child_state deployment);
  void hold_autoscaler_back();
  void start_task(std::size_t task);
  void advance(std::size_t task, reconciler::child_task::step step);
  // reconciler_actor_listeners.cpp: what of a Service was held back, for want of listeners.
  void ask_for_pods();
  void ask_pods(const kube::reply& endpoint_slices);
  void nobody_asks();
  void pods_answered(const reconciler::listener_report& report);
  static std::optional<milliseconds> ask_again_in(const run& finished);
  void write_status(kube::external_service_status wanted, const std::string& resource_version);
  void status_written(const kube::external_service_status& wanted, const kube::reply& reply);
  void look_for_status(const kube::external_service_status& wanted);
  void end();
  // reconciler_actor_asking.cpp
  void ask(kube::request what, std::function<void(const kube::reply&)> handler);
  void answered(std::uint64_t question, const kube::reply& reply);
  void give_up_late_answers();
};

}  // namespace egress
