#include "runtime/actor/supervisor.hpp"

#include <caf/actor_system.hpp>
#include <caf/send.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include "runtime/actor/system.hpp"
#include "runtime/base/log.hpp"

namespace egress {

void supervisor_state::start_all() {
  for (auto& child : children) start(child);
  broadcast();
}

void supervisor_state::start(supervised& child) {
  ++child.generation;
  try {
    child.handle = child.what.start(self->system(), current);
    self->monitor(child.handle);
  } catch (const std::exception& e) {
    log::error("actor could not be started", {{"actor", child.what.id}, {"error", e.what()}});
    died(child);
  }
}

void supervisor_state::broadcast() {
  ++current.generation;
  const auto everyone = std::make_shared<const directory>(current);
  for (const auto& child : children)
    if (child.handle) self->send(child.handle, everyone);
}

void supervisor_state::on_down(const caf::actor_addr& who, const caf::error& why) {
  for (auto& child : children) {
    if (!child.handle || child.handle.address() != who) continue;
    child.handle = nullptr;
    if (where == phase::exiting) {
      next_phase();
      return;
    }
    log::error("actor died", {{"actor", child.what.id}, {"reason", caf::to_string(why)}});
    died(child);
    return;
  }
}

void supervisor_state::died(supervised& child) {
  config.died(child.what.id);
  child.what.clear(current);
  // Who was asked to finish its work is gone, and with it the answer.
  if (where == phase::draining && !current.dispatcher) return next_phase();
  if (child.what.only_while_running && where != phase::running) return broadcast();
  const auto decision = child.policy.on_death(now(self));
  if (decision.end_process) {
    log::error("actor died too often: ending the process", {{"actor", child.what.id}});
    begin_shutdown(1);
    return;
  }
  if (decision.delay == milliseconds{0}) {
    start(child);
    broadcast();
    return;
  }
  broadcast();
  self->delayed_send(supervisor_actor{self}, decision.delay, restart_atom{}, child.what.id, child.generation);
}

void supervisor_state::restart(const std::string& id, std::uint64_t generation) {
  if (where == phase::exiting || where == phase::over) return;
  for (auto& child : children)
    if (child.what.id == id && child.generation == generation && !child.handle) {
      if (child.what.only_while_running && where != phase::running) return;
      start(child);
      broadcast();
    }
}

void supervisor_state::enter(phase next, milliseconds longest) {
  where = next;
  ++phase_generation;
  self->delayed_send(supervisor_actor{self}, longest, grace_over_atom{}, phase_generation);
}

void supervisor_state::begin_shutdown(int code) {
  exit_code = std::max(exit_code, code);
  // A second signal, or a failure meanwhile, cuts the present phase short.
  if (where != phase::running) return next_phase();
  log::info("shutting down");
  if (current.metrics)
    self->send(current.metrics, payload<health_report>{std::make_shared<health_report>(
                                    health_report{"process", false, "the shutdown"})});
  enter(phase::draining, config.times.drain);
  if (!current.dispatcher) return next_phase();
  const auto at = phase_generation;
  self->request(current.dispatcher, config.times.drain, drain_atom{})
      .then(
          [this, at](ok_atom) {
            if (at != phase_generation) return;
            drained = true;
            next_phase();
          },
          [this, at](const caf::error&) {
            if (at == phase_generation) next_phase();
          });
}

void supervisor_state::next_phase() {
  switch (where) {
    case phase::running:
      return;
    case phase::draining:
      // A reconcile that did not end may still have a write on its way: the Lease then runs out by itself.
      if (drained && current.leader) return release();
      [[fallthrough]];
    case phase::releasing:
      return enter(phase::lame_duck, config.times.lame_duck);
    case phase::lame_duck:
      enter(phase::exiting, config.times.grace);
      exit_children(caf::exit_reason::user_shutdown);
      [[fallthrough]];
    case phase::exiting:
      for (const auto& child : children)
        if (child.handle) return;
      return end();
    case phase::over:
      return;
  }
}

void supervisor_state::release() {
  enter(phase::releasing, config.times.release);
  const auto proceed = [this, at = phase_generation] {
    if (at == phase_generation) next_phase();
  };
  self->request(current.leader, config.times.release, release_atom{})
      .then([proceed](ok_atom) { proceed(); }, [proceed](const caf::error&) { proceed(); });
}

void supervisor_state::exit_children(caf::exit_reason reason) {
  for (auto child = children.rbegin(); child != children.rend(); ++child)
    if (child->handle) caf::anon_send_exit(child->handle, reason);
}

void supervisor_state::end() {
  where = phase::over;
  config.ended(exit_code);
  self->quit();
}

supervisor_actor::behavior_type supervisor_behavior(supervisor_actor::stateful_pointer<supervisor_state> self,
                                                    supervisor_config config) {
  log_exceptions(self, "supervisor");
  auto& state = self->state;
  state.self = self;
  for (auto& child : config.children) state.children.push_back({child, restart_policy{child.limits}, {}, 0});
  state.config = std::move(config);
  self->set_down_handler([self](caf::down_msg& down) { self->state.on_down(down.source, down.reason); });
  return {
      [self](start_atom) { self->state.start_all(); },
      [self](restart_atom, const std::string& id, std::uint64_t generation) {
        self->state.restart(id, generation);
      },
      [self](shutdown_atom) { self->state.begin_shutdown(0); },
      [self](grace_over_atom, std::uint64_t generation) {
        auto& s = self->state;
        if (generation != s.phase_generation) return;
        if (s.where != supervisor_state::phase::exiting) return s.next_phase();
        log::warn("actors did not end in time: killing them");
        s.exit_children(caf::exit_reason::kill);
        for (auto& child : s.children) child.handle = nullptr;
        s.end();
      },
  };
}

}  // namespace egress
