#include "actors/reconciler/dispatcher_actor.hpp"

#include <caf/send.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include "runtime/actor/system.hpp"
#include "runtime/base/chance.hpp"
#include "runtime/base/log.hpp"

namespace egress {

using reconciler::priority;

dispatcher_state::dispatcher_state() = default;

dispatcher_state::~dispatcher_state() {
  for (const auto& [key, worker] : workers)
    if (worker.handle) caf::anon_send_exit(worker.handle, caf::exit_reason::user_shutdown);
}

void dispatcher_state::use(const directory_ptr& next) {
  const auto before = std::exchange(everyone, next);
  health.use(everyone->metrics);
  // Each subscription brings all that there is: one that is known to last is not asked for again.
  for (std::size_t i = 0; i < everyone->informers.size(); ++i)
    if (const auto& informer = everyone->informers[i];
        informer && !(before && before->informers[i] == informer))
      self->send(informer, subscribe_atom{}, update_consumer{self});
  report();
  pump();
}

void dispatcher_state::learn(const reconcile_result& result) {
  for (std::size_t kind = 0; kind < ineffective.size(); ++kind)
    for (const auto& field : result.ineffective[kind])
      if (reconciler::remember(ineffective[kind], field)) {
        log::warn("the API server does not keep a field as it is written: it is left as it is",
                  {{"kind", kube::info(kube::child_kinds[kind]).name},
                   {"field", field.pointer},
                   {"externalservice", result.key}});
        config.observe.ineffective(kube::child_kinds[kind], field.pointer);
      }
  if (!result.no_status || std::exchange(no_status, true)) return;
  log::warn("no status can be written", {{"why", result.no_status->message}});
  config.observe.ineffective(kube::kind::external_service, "/status");
  tell({*result.no_status});
}

void dispatcher_state::lead(std::uint64_t next_term) {
  term = next_term;
  of(kube::kind::external_service).objects.for_each([this](const kube::object_ptr& one) {
    const auto& name = one->meta.name;
    queue->add(name, first.contains(name) ? priority::listed : priority::background, 0, now(self));
  });
  pump();
}

bool dispatcher_state::synced() const {
  return std::ranges::all_of(known, [](const kube::published& one) { return one.synced; });
}

// Without their definition there are no ExternalServices, whatever was known of them, and the collector has
// their children: it would not take those that are made now.
bool dispatcher_state::may_reconcile() const {
  return !draining && synced() && !of(kube::kind::external_service).undefined && everyone &&
         everyone->kube_api;
}

void dispatcher_state::pump() {
  // What is due while nothing may be reconciled waits for the message that changes this, not for a timer.
  if (may_reconcile()) {
    // Keys that end at once (gone, or no reconciler) take no place: others have their turn after so many.
    constexpr int over_at_once = 256;
    int over = 0;
    bool whole = true;
    while (auto job = queue->take(now(self))) {
      config.observe.taken(job->queued_for);
      if (run(*job) || ++over < over_at_once) continue;
      self->send(dispatcher_actor{self}, tick_atom{}, std::uint64_t{0});
      whole = false;
      break;
    }
    // When what is queued is due nobody can say before all has been asked for.
    if (whole) arm_timer();
  }
  config.observe.queue(queue->metrics(now(self)));
  config.observe.mailbox(waiting_messages(self));
}

bool dispatcher_state::run(const reconciler::job& job) {
  const auto external_service = of(kube::kind::external_service).objects.find(job.key);
  if (!external_service) {
    retire(job.key);
    first.over(job.key);
    queue->done(job.key, {}, {now(self), 0});
    queue->forget(job.key);
    return false;
  }
  try {
    auto& worker = worker_of(job.key);
    worker.busy = true;
    self->send(worker.handle, work_for(job, external_service, worker));
    set_watchdog();
  } catch (const std::exception& e) {
    log::error("a reconciler could not be started", {{"externalservice", job.key}, {"error", e.what()}});
    conclude(job.key, {.success = false, .requeue_after = {}});
    return false;
  }
  return true;
}

payload<reconcile_work> dispatcher_state::work_for(const reconciler::job& job,
                                                   const kube::object_ptr& external_service,
                                                   const worker& by) const {
  auto work = std::make_shared<reconcile_work>();
  work->memory = by.memory;
  work->api = everyone->kube_api;
  work->gateways = everyone->gateways;
  work->external_service = external_service;
  work->external_service_epoch = of(kube::kind::external_service).epoch;
  const kube::hashed_name key(job.key);
  for (const auto kind : kube::child_kinds) {
    work->children[kube::child_index(kind)] = of(kind).objects.find(key);
    work->epochs[kube::child_index(kind)] = of(kind).epoch;
  }
  work->changed = job.changed;
  work->term = term;
  work->ipv6_elsewhere = ipv6_services;
  work->status_may_wait = first.contains(job.key) && queue->others_wait(job.key, now(self));
  work->patient = job.patient;
  const auto holder = names.holder(external_service->as_external_service().spec.dns_name);
  if (holder != job.key) work->name_claimed_by = holder;
  work->ineffective = ineffective;
  return work;
}

void dispatcher_state::finished(const std::string& key, const reconciler::verdict& how) {
  conclude(key, how);
  pump();
}

void dispatcher_state::conclude(const std::string& key, const reconciler::verdict& how) {
  rest(key);
  if (how.success && !how.status_later) first.over(key);
  if (how.status_later && only_own_writes_came(key)) queue->put_off(key);
  const auto worked = queue->done(key, how, {now(self), chance(random)});
  config.observe.done(worked, how);
  if (draining && queue->idle()) drained.deliver(ok_atom{});
}

// An Event is dropped when it fails: it must never hold up or fail a reconcile. But one that was to count
// again, and that the server has dropped meanwhile, is made anew.
void dispatcher_state::tell(const std::vector<reconciler::happening>& happenings) {
  for (const auto& one : happenings) {
    auto request = events->record(one, config.clock());
    if (!request) continue;
    const auto bumped = request->what == kube::verb::patch ? request->name : "";
    send_and_forget(std::move(*request), [this, one, bumped](const kube::reply& reply) {
      if (reply || reply.error().code != kube::api_errc::not_found || bumped.empty()) return;
      events->expired(bumped);
      tell({one});
    });
  }
}

void dispatcher_state::send_and_forget(kube::request what, std::function<void(const kube::reply&)> on_reply) {
  if (!everyone || !everyone->kube_api) return;
  what.term = term;
  auto request = std::make_shared<const api_request>(api_request{std::move(what)});
  self->request(everyone->kube_api, caf::infinite, payload<api_request>{std::move(request)})
      .then([on_reply = std::move(on_reply)](const payload<api_reply>& reply) { on_reply(reply->outcome); },
            [](const caf::error&) {});
}

void dispatcher_state::arm_timer() {
  const auto due = queue->next_due();
  // A tick that is on its way cannot be taken back, and serves what it was sent for later on.
  if (!due || (!armed.empty() && *armed.begin() <= *due)) return;
  armed.insert(*due);
  self->delayed_send(dispatcher_actor{self}, std::max(*due - now(self), steady_time::duration::zero()),
                     tick_atom{}, static_cast<std::uint64_t>(due->time_since_epoch().count()));
}

void dispatcher_state::report() {
  const bool ready = synced();
  health.tell(
      {.part = "dispatcher", .ready = ready, .waits_for = ready ? "" : "the first lists of all kinds"});
}

dispatcher_actor::behavior_type dispatcher_behavior(dispatcher_actor::stateful_pointer<dispatcher_state> self,
                                                    dispatcher_config config) {
  log_exceptions(self, "dispatcher");
  auto& state = self->state;
  state.self = self;
  state.queue = std::make_unique<reconciler::work_queue>(config.max_concurrent);
  state.events = std::make_unique<reconciler::event_recorder>("egress-operator", config.instance);
  state.config = std::move(config);
  self->set_down_handler([self](caf::down_msg& down) { self->state.worker_died(down.source, down.reason); });
  return {
      [self](const directory_ptr& everyone) { self->state.use(everyone); },
      [self](const payload<informer_update>& update) {
        self->state.learn(*update);
        return ok_atom{};
      },
      [self](tick_atom, std::uint64_t due) {
        const steady_time::duration since{static_cast<steady_time::rep>(due)};
        self->state.armed.erase(steady_time{since});
        self->state.pump();
      },
      [self](const payload<reconcile_result>& result) {
        self->state.learn(*result);
        self->state.tell(result->happenings);
        self->state.finished(result->key, result->how);
      },
      [self](watchdog_atom) { self->state.watchdog(); },
      [self](leading_atom, std::uint64_t term) { self->state.lead(term); },
      [self](drain_atom) {
        auto& s = self->state;
        s.draining = true;
        s.drained = self->make_response_promise<ok_atom>();
        const auto promise = s.drained;
        if (s.queue->idle()) s.drained.deliver(ok_atom{});
        return promise;
      },
  };
}

}  // namespace egress
