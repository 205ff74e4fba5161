#include "actors/leader/leader_actor.hpp"

#include <caf/send.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include "runtime/actor/system.hpp"
#include "runtime/base/log.hpp"

namespace egress {
namespace {

using asked_verb = leader::lease_request::verb;

// The client gives up that long before the actor does: so its own words are what is logged.
constexpr int client_margin = 10;  // a tenth of the time-out

// The server ends a watch after the first; a stream that is silent for both is dead.
constexpr seconds watch_timeout{300};
constexpr seconds dead_stream_guard{30};
// A refusal is not asked for again with every poll.
constexpr seconds watch_refused_pause{60};

kube::request request_of(const leader::lease_request& what, const leader::election_settings& settings) {
  kube::request made;
  made.what = what.what == asked_verb::get      ? kube::verb::get
              : what.what == asked_verb::create ? kube::verb::create
                                                : kube::verb::replace;
  made.of = kube::kind::lease;
  made.name_space = settings.name_space;
  if (what.what != asked_verb::create) made.name = settings.name;
  made.body = what.body;
  made.timeout = settings.request_timeout - settings.request_timeout / client_margin;
  return made;
}

leader::lease_answer answer_of(asked_verb asked, const kube::reply& reply) {
  if (!reply) {
    using enum kube::api_errc;
    const auto& why = reply.error();
    // A create finds no Lease missing but its namespace.
    if (why.code == not_found && asked != asked_verb::create) return leader::lease_missing{};
    if (why.code == conflict || why.code == already_exists) return leader::lease_conflict{};
    return leader::lease_failure{why.message};
  }
  const auto* document = std::get_if<kube::document>(&*reply);
  if (!document) return leader::lease_failure{"the answer is no Lease"};
  auto lease = leader::decode_lease(document->json);
  if (!lease) return leader::lease_failure{lease.error().message};
  return std::move(*lease);
}

}  // namespace

leader::moment leader_state::at() {
  return {config.clock(), config.wall(), std::uniform_real_distribution<double>{0, 1}(random)};
}

void leader_state::use(const directory_ptr& next) {
  const bool first = !everyone;
  everyone = next;
  health.use(everyone->metrics);
  report();
  if (first && !stopping) perform(election->start(at()));
}

void leader_state::perform(leader::step step) {
  config.deadline->move_to(step.write_until);
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
  // A dispatcher that is not there now begins with everything anyway.
  if (step.leadership == gained && everyone->dispatcher) self->send(everyone->dispatcher, leading_atom{});
}

void leader_state::ask(const leader::lease_request& what) {
  if (!everyone->kube_api) return answered(leader::lease_failure{"the way to the API server is starting"});
  auto request = std::make_shared<const api_request>(api_request{request_of(what, config.settings)});
  self->request(everyone->kube_api, config.settings.request_timeout, payload<api_request>{std::move(request)})
      .then([this, verb = what.what](
                const payload<api_reply>& reply) { answered(answer_of(verb, reply->outcome)); },
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
  // No time-out: the stream has its own, and a kube_api actor that is gone is an error at once.
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
               .says = election->leads() ? config.settings.identity + " (this replica)"
                       : holder.empty()  ? "nobody known yet"
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
