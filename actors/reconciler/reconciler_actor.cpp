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

kube::request status_request(const kube::object& external_service,
                             const kube::external_service_status& wanted,
                             const std::string& resource_version) {
  kube::request what;
  what.what = kube::verb::patch_status;
  what.of = kube::kind::external_service;
  what.name = external_service.meta.name;
  json::arena scratch;
  what.body = json::to_text(reconciler::status_patch(wanted, resource_version, scratch.storage()));
  what.metadata_only = true;
  return what;
}

}  // namespace

void reconciler_state::begin(const payload<reconcile_work>& work) {
  current = std::make_unique<run>();
  current->work = work;
  current->dispatcher = self->current_sender();
  current->seen = {work->children, work->epochs};
  auto& known = memory();
  current->live = known.expected.effective(current->seen, work->changed);
  if (known.status_again && now(self) >= *known.status_again) {
    known.status_again.reset();
    known.expected.forget_status();
  }
  if (work->external_service->meta.deleting) return end();
  current->refused = reconciler::refused(*work->external_service, work->name_claimed_by, config->gateways);
  if (current->refused) return children_done();
  current->ipv6 = reconciler::listens_on_ipv6(current->live, work->ipv6_elsewhere);
  auto& rendered = known.rendered;
  if (rendered && reconciler::nothing_to_do(*work->external_service, *rendered, current->live, current->ipv6,
                                            known.expected.known())) {
    rendered->of = work->external_service;  // says the same, and is there anyhow
    current->config_hash = rendered->config_hash;
    return children_done();
  }
  start_tasks();
}

void reconciler_state::children_done() {
  const auto& external_service = *current->work->external_service;
  auto& mine = memory();
  mine.expected.learn(current->seen, current->outcomes);
  for (std::size_t i = 0; i < kube::child_count; ++i)
    if (current->outcomes[i].did != reconciler::action::nothing)
      mine.pace.wrote(i, current->wanted[i], now(self));
  const auto& own_service = current->outcomes[kube::child_index(kube::kind::service)];
  if (own_service.cluster_ip_taken) ++mine.cluster_ip_refusals;
  // Whoever refuses it with and without an address is not asked five times with it, again and again.
  if (reconciler::is_ours(own_service.state)) mine.cluster_ip_refusals = 0;
  current->happenings =
      mine.repairs.look(external_service, current->outcomes, current->wanted, config->clock());
  const auto known = mine.expected.effective_status(external_service, current->work->external_service_epoch);
  // Without any there is one to write, whatever it is to say.
  current->status_later = current->work->status_may_wait && known.status == kube::external_service_status{};
  if (current->status_later) return end();
  auto wanted = reconciler::status_of({.external_service = external_service,
                                       .previous = known.status,
                                       .refused = current->refused,
                                       .outcomes = current->outcomes,
                                       .live = reconciler::after(current->live, current->outcomes),
                                       .config_hash = current->config_hash,
                                       .profile = config->gateways.profile,
                                       .internal_error = {},
                                       .now = config->clock(),
                                       .search_domains = config->search_domains,
                                       .waits_for_listeners = current->waits_for_listeners});
  if (!reconciler::differs(known.status, wanted)) return end();
  current->status_later = current->work->status_may_wait;
  if (current->status_later) return end();
  // The write's own event starts the next run at once, and so would each that tells the same in other words,
  // though that comes again in its own time.
  const auto how = reconciler::end_of(current->outcomes);
  const bool only_words =
      (!how.success || how.requeue_after) && reconciler::differs_in_words_only(known.status, wanted);
  if (only_words && mine.status_sent && now(self) < *mine.status_sent + between_words) return end();
  current->status_tells = reconciler::happenings_of(external_service, known.status, wanted);
  write_status(std::move(wanted), known.resource_version);
}

void reconciler_state::write_status(kube::external_service_status wanted,
                                    const std::string& resource_version) {
  memory().status_sent = now(self);
  ask(status_request(*current->work->external_service, wanted, resource_version),
      [this, wanted](const kube::reply& reply) { status_written(wanted, reply); });
}

void reconciler_state::status_written(const kube::external_service_status& wanted, const kube::reply& reply) {
  const auto& external_service = *current->work->external_service;
  if (reply) {
    std::ranges::move(current->status_tells, std::back_inserter(current->happenings));
    const auto* document = std::get_if<kube::document>(&*reply);
    if (document && document->decoded)
      memory().expected.wrote_status(external_service, current->work->external_service_epoch, wanted,
                                     document->decoded->meta.resource_version);
    return end();
  }
  const auto& why = reply.error();
  if (why.code == kube::api_errc::not_found) return look_for_status(wanted);
  current->failed = why.code != kube::api_errc::not_leader;
  // It may have been written all the same, and then nobody tells it later.
  if (why.code == kube::api_errc::transport || why.code == kube::api_errc::timed_out)
    std::ranges::move(current->status_tells, std::back_inserter(current->happenings));
  // Who may not write tells nobody: the leader does.
  if (!current->failed) current->happenings.clear();
  current->asked_to_wait = kube::asked_to_wait(why);
  // Somebody changed the object: its event starts the next run.
  if (why.code == kube::api_errc::conflict) current->failed = false;
  if (current->failed)
    log::warn("a status could not be written",
              {{"externalservice", external_service.meta.name}, {"error", why.message}});
  end();
}

// The object is gone, or its definition has no status subresource (one of the program before us): the server
// says the same of both, and neither is this run's failure.
void reconciler_state::look_for_status(const kube::external_service_status& wanted) {
  kube::request what;
  what.what = kube::verb::get_raw;
  what.path = "/apis/egress.monzo.com/v1";
  ask(std::move(what), [this, wanted](const kube::reply& reply) {
    const auto* discovery = reply ? std::get_if<kube::document>(&*reply) : nullptr;
    if (discovery && !reconciler::serves_status(discovery->json)) {
      const auto& external_service = *current->work->external_service;
      current->no_status = true;
      std::ranges::move(current->status_tells, std::back_inserter(current->happenings));
      memory().status_again = now(self) + until_status_again;
      // As if it were written: not tried again at every run.
      memory().expected.wrote_status(external_service, current->work->external_service_epoch, wanted,
                                     external_service.meta.resource_version);
    }
    end();
  });
}

void reconciler_state::end() {
  const auto finished = std::move(current);
  auto result = std::make_shared<reconcile_result>();
  result->key = finished->work->external_service->meta.name;
  result->happenings = std::move(finished->happenings);
  const auto how = reconciler::end_of(finished->outcomes);
  result->how = {.success = how.success && !finished->failed,
                 .requeue_after = how.requeue_after,
                 .status_later = finished->status_later,
                 .asked_to_wait = std::max(how.asked_to_wait, finished->asked_to_wait),
                 .terminal = how.terminal || finished->refused};
  if (finished->paused > milliseconds{0}) result->how.requeue_after = finished->paused;
  if (const auto again = ask_again_in(*finished))
    result->how.requeue_after = std::min(*again, result->how.requeue_after.value_or(*again));
  if (finished->no_status) {
    result->no_status = reconciler::without_status(*finished->work->external_service);
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

kube::request internal_error_status(const kube::object& external_service, const reconciler_config& config,
                                    const std::string& why) {
  const auto& previous = external_service.as_external_service().status;
  const reconciler::child_outcomes outcomes;
  const reconciler::live_children live;
  return status_request(external_service,
                        reconciler::status_of({.external_service = external_service,
                                               .previous = previous,
                                               .refused = {},
                                               .outcomes = outcomes,
                                               .live = live,
                                               .config_hash = "",
                                               .profile = config.gateways.profile,
                                               .internal_error = why,
                                               .now = config.clock(),
                                               .search_domains = config.search_domains}),
                        external_service.meta.resource_version);
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
