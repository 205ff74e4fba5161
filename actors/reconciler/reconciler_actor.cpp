#include "actors/reconciler/reconciler_actor.hpp"

#include <algorithm>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <iterator>

#include "runtime/actor/system.hpp"
#include "runtime/base/log.hpp"
#include "runtime/kube/json_arena.hpp"
#include "runtime/kube/json_text.hpp"

namespace egress {
namespace {

constexpr std::chrono::minutes until_status_again{5};
// From one status that says why something fails to the next that says it otherwise: errors have ports of
// connections and numbers of requests in them.
constexpr std::chrono::seconds between_words{10};

kube::request status_request(const kube::object& service, const kube::external_service_status& wanted,
                             const std::string& resource_version) {
  kube::request what;
  what.what = kube::verb::patch_status;
  what.of = kube::kind::external_service;
  what.name = service.meta.name;
  json::arena scratch;
  what.body = json::to_text(reconciler::status_patch(wanted, resource_version, scratch.storage()));
  what.metadata_only = true;
  return what;
}

}  // namespace

void reconciler_state::begin(const payload<reconcile_work>& work) {
  now = std::make_unique<run>();
  now->work = work;
  now->dispatcher = self->current_sender();
  now->seen = {work->children, work->epochs};
  auto& known = memory();
  now->live = known.expected.effective(now->seen, work->changed);
  if (known.status_again && egress::now(self) >= *known.status_again) {
    known.status_again.reset();
    known.expected.forget_status();
  }
  if (work->service->meta.deleting) return end();
  now->refused = reconciler::refused(*work->service, work->name_claimed_by, config->gateways);
  if (now->refused) return children_done();
  now->ipv6 = reconciler::listens_on_ipv6(now->live, work->ipv6_elsewhere);
  auto& rendered = known.rendered;
  if (rendered &&
      reconciler::nothing_to_do(*work->service, *rendered, now->live, now->ipv6, known.expected.known())) {
    rendered->of = work->service;  // says the same, and is there anyhow
    now->config_hash = rendered->config_hash;
    return children_done();
  }
  start_tasks();
}

void reconciler_state::children_done() {
  const auto& service = *now->work->service;
  auto& mine = memory();
  mine.expected.learn(now->seen, now->outcomes);
  for (std::size_t i = 0; i < kube::child_count; ++i)
    if (now->outcomes[i].did != reconciler::action::nothing)
      mine.pace.wrote(i, now->wanted[i], egress::now(self));
  const auto& own_service = now->outcomes[kube::child_index(kube::kind::service)];
  if (own_service.cluster_ip_taken) ++mine.cluster_ip_refusals;
  // Whoever refuses it with and without an address is not asked five times with it, again and again.
  if (reconciler::is_ours(own_service.state)) mine.cluster_ip_refusals = 0;
  now->happenings = mine.repairs.look(service, now->outcomes, now->wanted, config->clock());
  const auto known = mine.expected.effective_status(service, now->work->service_epoch);
  // Without any there is one to write, whatever it is to say.
  now->status_later = now->work->status_may_wait && known.status == kube::external_service_status{};
  if (now->status_later) return end();
  auto wanted = reconciler::status_of({.external_service = service,
                                       .previous = known.status,
                                       .refused = now->refused,
                                       .outcomes = now->outcomes,
                                       .live = reconciler::after(now->live, now->outcomes),
                                       .config_hash = now->config_hash,
                                       .profile = config->gateways.profile,
                                       .internal_error = {},
                                       .now = config->clock(),
                                       .search_domains = config->search_domains,
                                       .waits_for_listeners = now->waits_for_listeners});
  if (!reconciler::differs(known.status, wanted)) return end();
  now->status_later = now->work->status_may_wait;
  if (now->status_later) return end();
  // The write's own event starts the next run at once, and so would each that tells the same in other words,
  // though that comes again in its own time.
  const auto how = reconciler::end_of(now->outcomes);
  const bool only_words =
      (!how.success || how.requeue_after) && reconciler::differs_in_words_only(known.status, wanted);
  if (only_words && mine.status_sent && egress::now(self) < *mine.status_sent + between_words) return end();
  now->status_tells = reconciler::happenings_of(service, known.status, wanted);
  write_status(std::move(wanted), known.resource_version);
}

void reconciler_state::write_status(kube::external_service_status wanted,
                                    const std::string& resource_version) {
  memory().status_sent = egress::now(self);
  ask(status_request(*now->work->service, wanted, resource_version),
      [this, wanted](const kube::reply& reply) { status_written(wanted, reply); });
}

void reconciler_state::status_written(const kube::external_service_status& wanted, const kube::reply& reply) {
  const auto& service = *now->work->service;
  if (reply) {
    std::ranges::move(now->status_tells, std::back_inserter(now->happenings));
    const auto* document = std::get_if<kube::document>(&*reply);
    if (document && document->decoded)
      memory().expected.wrote_status(service, now->work->service_epoch, wanted,
                                     document->decoded->meta.resource_version);
    return end();
  }
  const auto& why = reply.error();
  if (why.code == kube::api_errc::not_found) return look_for_status(wanted);
  now->failed = why.code != kube::api_errc::not_leader;
  // It may have been written all the same, and then nobody tells it later.
  if (why.code == kube::api_errc::transport || why.code == kube::api_errc::timed_out)
    std::ranges::move(now->status_tells, std::back_inserter(now->happenings));
  // Who may not write tells nobody: the leader does.
  if (!now->failed) now->happenings.clear();
  now->asked_to_wait = kube::asked_to_wait(why);
  // Somebody changed the object: its event starts the next run.
  if (why.code == kube::api_errc::conflict) now->failed = false;
  if (now->failed)
    log::warn("a status could not be written",
              {{"externalservice", service.meta.name}, {"error", why.message}});
  end();
}

// The object is gone, or its definition has no status subresource (one of the program before us): the server
// says the same of both, and neither is this run's failure.
void reconciler_state::look_for_status(const kube::external_service_status& wanted) {
  kube::request what;
  what.what = kube::verb::probe;
  what.path = "/apis/egress.monzo.com/v1";
  ask(std::move(what), [this, wanted](const kube::reply& reply) {
    const auto* discovery = reply ? std::get_if<kube::document>(&*reply) : nullptr;
    if (discovery && !reconciler::serves_status(discovery->json)) {
      const auto& service = *now->work->service;
      now->no_status = true;
      std::ranges::move(now->status_tells, std::back_inserter(now->happenings));
      memory().status_again = egress::now(self) + until_status_again;
      // As if it were written: not tried again at every run.
      memory().expected.wrote_status(service, now->work->service_epoch, wanted,
                                     service.meta.resource_version);
    }
    end();
  });
}

void reconciler_state::end() {
  const auto finished = std::move(now);
  auto result = std::make_shared<reconcile_result>();
  result->key = finished->work->service->meta.name;
  result->happenings = std::move(finished->happenings);
  const auto how = reconciler::end_of(finished->outcomes);
  result->how = {.success = how.success && !finished->failed,
                 .requeue_after = how.requeue_after,
                 .status_later = finished->status_later,
                 .asked_to_wait = std::max(how.asked_to_wait, finished->asked_to_wait)};
  if (finished->paused > milliseconds{0}) result->how.requeue_after = finished->paused;
  if (const auto again = ask_again_in(*finished)) result->how.requeue_after = again;
  if (finished->no_status) {
    result->no_status = reconciler::without_status(*finished->work->service);
    if (!result->how.requeue_after) result->how.requeue_after = until_status_again;
  }
  for (std::size_t i = 0; i < kube::child_count; ++i) {
    const auto& outcome = finished->outcomes[i];
    result->ineffective[i] = outcome.ineffective;
    if (reconciler::is_a_fault(outcome.state))
      log::warn("a child is not as it should be", {{"externalservice", result->key},
                                                   {"kind", kube::info(kube::child_kinds[i]).name},
                                                   {"error", outcome.message}});
  }
  for (const auto& [did, kinds] : reconciler::deeds_of(finished->outcomes))
    log::info("wrote children",
              {{"externalservice", result->key}, {"action", reconciler::to_string(did)}, {"kinds", kinds}});
  if (const auto to = caf::actor_cast<dispatcher_actor>(finished->dispatcher))
    self->send(to, payload<reconcile_result>{std::move(result)});
}

kube::request internal_error_status(const kube::object& service, const reconciler_config& config,
                                    const std::string& why) {
  const auto& previous = service.as_external_service().status;
  const reconciler::child_outcomes outcomes;
  const reconciler::live_children live;
  return status_request(service,
                        reconciler::status_of({.external_service = service,
                                               .previous = previous,
                                               .refused = {},
                                               .outcomes = outcomes,
                                               .live = live,
                                               .config_hash = "",
                                               .profile = config.gateways.profile,
                                               .internal_error = why,
                                               .now = config.clock(),
                                               .search_domains = config.search_domains}),
                        service.meta.resource_version);
}

reconciler_actor::behavior_type reconciler_behavior(reconciler_actor::stateful_pointer<reconciler_state> self,
                                                    std::shared_ptr<const reconciler_config> config) {
  log_exceptions(self, "reconciler");
  self->state.self = self;
  self->state.config = std::move(config);
  return {[self](const payload<reconcile_work>& work) { self->state.begin(work); },
          [self](tick_atom) { self->state.give_up_late_answers(); }};
}

}  // namespace egress
