#include "actors/leader/leader_actor.hpp"

#include <caf/send.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include "actors/leader/lease_call.hpp"
#include "runtime/actor/system.hpp"
#include "runtime/base/chance.hpp"
#include "runtime/base/log.hpp"

namespace egress {
namespace {

// An ExternalService says what its children are; its Deployment, and the label that its Service has, whether
// its name is hijacked. All else is read again before it is changed.
constexpr std::array decisive_kinds{kube::kind::external_service, kube::kind::deployment,
                                    kube::kind::service};

// The server ends a watch after the first; a stream that is silent for both is dead.
constexpr seconds watch_timeout{300};
constexpr seconds dead_stream_guard{30};
// A refusal is not asked for again with every poll.
constexpr seconds watch_refused_pause{60};

}  // namespace

leader::moment leader_state::at() {
  return {config.clock(), config.wall(), chance(random)};
}

void leader_state::use(const directory_ptr& next) {
  const bool first = !everyone;
  const bool new_dispatcher = !first && everyone->dispatcher != next->dispatcher;
  // One that died with a poll in hand answers it never: the next answer to a Lease opens another watch.
  if (!first && everyone->kube_api != next->kube_api) watching = false;
  everyone = next;
  health.use(everyone->metrics);
  report();
  ask_for_lists();
  if (new_dispatcher && term != 0 && everyone->dispatcher)
    self->send(everyone->dispatcher, leading_atom{}, term);
  if (first && !stopping) perform(election->start(at()));
}

void leader_state::perform(leader::step step) {
  write_until = step.write_until;
  config.deadline->move_to(term == 0 ? leader::boot_time::min() : write_until);
  announce(step);
  report();
  arm(step.wake_at);
  if (step.finished && !finished) {
    finished = true;
    released.deliver(ok_atom{});
  }
  if (step.send) ask(*step.send);
  if (watching && (election->leads() || stopping)) {
    watching = false;
    if (everyone->kube_api) self->send(everyone->kube_api, close_watch_atom{}, stream);
  }
}

void leader_state::announce(const leader::step& step) {
  using enum leader::step::change;
  if (step.leadership == none) {
    if (!step.text.empty() && step.text != complained) log::warn(step.text);
    if (!step.text.empty()) complained = step.text;
    return;
  }
  log::info(step.text, {{"identity", config.settings.identity}});
  config.changed(step.leadership == gained);
  term = 0;
  ++claim;
  unlisted.clear();
  if (step.leadership != gained) return;
  for (const auto kind : decisive_kinds) unlisted[kind] = nullptr;
  ask_for_lists();
}

// An informer that dies answers nothing: its successor is in a later directory, and asked then.
void leader_state::ask_for_lists() {
  for (auto& [kind, asked] : unlisted) {
    const auto& informer = everyone->informers[static_cast<std::size_t>(kind)];
    if (!informer || asked == informer) continue;
    asked = informer;
    self->request(informer, caf::infinite, list_anew_atom{})
        .then(
            [this, kind, id = claim](ok_atom) {
              if (id == claim && unlisted.erase(kind) != 0 && unlisted.empty()) begin_term();
            },
            [](const caf::error&) {});
  }
}

void leader_state::begin_term() {
  term = config.deadline->begin_term();
  config.deadline->move_to(write_until);
  report();
  // A dispatcher that is not there now is told when it comes.
  if (everyone->dispatcher) self->send(everyone->dispatcher, leading_atom{}, term);
}

void leader_state::ask(const leader::lease_request& what) {
  if (!everyone->kube_api) return answered(leader::lease_failure{"the way to the API server is starting"});
  auto request = std::make_shared<const api_request>(api_request{leader::request_of(what, config.settings)});
  self->request(everyone->kube_api, config.settings.request_timeout, payload<api_request>{std::move(request)})
      .then([this, verb = what.what](
                const payload<api_reply>& reply) { answered(leader::answer_of(verb, reply->outcome)); },
            [this](const caf::error&) { answered(leader::lease_failure{"no answer in time"}); });
}

void leader_state::answered(const leader::lease_answer& answer) {
  if (!std::holds_alternative<leader::lease_failure>(answer)) complained.clear();
  perform(election->on_answer(answer, at()));
  if (!std::holds_alternative<leader::lease_failure>(answer)) watch_if_candidate();
}

void leader_state::watch_if_candidate() {
  const auto holder = election->holder();
  const bool follows = !holder.empty() && holder != config.settings.identity;
  if (watching || stopping || !follows || config.clock() < watch_after) return;
  watching = true;
  // Unique in the process: the actor's id is, and it counts its own streams.
  stream = (std::uint64_t{self->id()} << 32) | (++streams_opened & 0xffff'ffff);
  poll_watch();
}

void leader_state::poll_watch() {
  if (!everyone->kube_api) return watch_ended({});
  watch_poll asked;
  asked.stream = stream;
  asked.what.of = kube::kind::lease;
  asked.what.name_space = config.settings.name_space;
  asked.what.name = config.settings.name;
  asked.what.timeout = watch_timeout;
  asked.quiet = watch_timeout + dead_stream_guard;
  const auto current = [this, id = stream] { return watching && id == stream; };
  // No time-out: the stream has its own. A kube_api actor that is gone is an error at once, and one that goes
  // with the poll in hand is seen in the next directory.
  self->request(everyone->kube_api, caf::infinite,
                payload<watch_poll>{std::make_shared<const watch_poll>(std::move(asked))})
      .then(
          [this, current](const payload<watch_news>& news) {
            if (current()) watched(news->chunk);
          },
          [this, current](const caf::error&) {
            if (current()) watch_ended({});
          });
}

void leader_state::watched(const kube::watch_chunk& news) {
  for (const auto& event : news.events) {
    if (event.type == kube::event_type::bookmark) continue;
    const auto seen = leader::decode_lease(event.json);
    if (!seen) continue;  // the next poll says what is wrong with it
    perform(election->on_watch(event.type == kube::event_type::deleted ? nullptr : &*seen, at()));
    if (!watching) return;
  }
  if (news.ended) return watch_ended(news.failure);
  poll_watch();
}

void leader_state::watch_ended(const std::optional<kube::api_error>& why) {
  watching = false;
  if (!why || why->code != kube::api_errc::forbidden) return;
  watch_after = config.clock() + watch_refused_pause;
  log::warn("the Lease cannot be watched: it is asked for every few seconds only", {{"error", why->message}});
}

// While it stops, it waits for answers only.
void leader_state::arm(leader::boot_time when) {
  ++timer;
  if (stopping || when == leader::boot_time::max()) return;
  const auto wait = std::max(when - config.clock(), std::chrono::nanoseconds{0});
  self->delayed_send(leader_actor{self}, wait, tick_atom{}, timer);
}

// Ready always: a replica that does not lead serves DNS like the one that does.
void leader_state::report() {
  const auto holder = election->holder();
  health.tell({.part = "leader",
               .ready = true,
               .says = election->leads()
                           ? config.settings.identity +
                                 (term != 0 ? " (this replica)" : " (this replica, which lists first)")
                       : holder.empty() ? "nobody known yet"
                                        : holder});
}

leader_actor::behavior_type leader_behavior(leader_actor::stateful_pointer<leader_state> self,
                                            leader_config config) {
  log_exceptions(self, "leader");
  auto& state = self->state;
  state.self = self;
  state.election = std::make_unique<leader::election>(config.settings);
  state.config = std::move(config);
  state.config.changed(false);
  return {
      [self](const directory_ptr& everyone) { self->state.use(everyone); },
      [self](tick_atom, std::uint64_t generation) {
        auto& s = self->state;
        if (generation == s.timer) s.perform(s.election->on_timer(s.at()));
      },
      [self](release_atom) {
        auto& s = self->state;
        auto promise = self->make_response_promise<ok_atom>();
        if (s.finished) {
          promise.deliver(ok_atom{});
          return promise;
        }
        s.stopping = true;
        s.released = promise;
        s.perform(s.election->stop(s.at()));
        return promise;
      },
  };
}

}  // namespace egress
