#include "actors/informer/informer_actor.hpp"

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include "runtime/actor/system.hpp"
#include "runtime/base/chance.hpp"
#include "runtime/base/log.hpp"

namespace egress {
namespace {

// Above the server's own timeoutSeconds: silence beyond it is a dead stream.
constexpr seconds dead_stream_guard{30};
// Above the client's own bound, so that an answer is only missed when the kube_api actor died.
constexpr seconds answer_guard{10};

void say(const informer::log_line& line) {
  std::vector<log::field> fields;
  for (const auto& [key, value] : line.fields) fields.emplace_back(key, value);
  log::write(line.level, line.message, fields);
}

}  // namespace

moment informer_state::at() {
  return {now(self), chance(random)};
}

void informer_state::use(const directory_ptr& everyone) {
  health.use(everyone->metrics);
  const bool replaced = api != everyone->kube_api;
  api = everyone->kube_api;
  report();
  // Without one nothing can be asked: what is owed fails, and is asked anew, when there is one again.
  if (!api) return;
  if (machine->state() == informer::watch_state::idle) return perform(machine->start());
  if (replaced && waiting != owed::nothing)
    answer_failed(waiting, waiting_id, "the way to the API server was started again");
}

void informer_state::perform(informer::outcome what) {
  for (const auto& line : what.lines) say(line);
  if (what.published) publish(*what.published);
  answer_asked_anew();
  for (const auto& command : what.commands) std::visit([this](const auto& one) { carry_out(one); }, command);
  report();
}

void informer_state::carry_out(const informer::list_command& what) {
  waiting = owed::list;
  waiting_id = what.id;
  if (!api) return;
  auto request = std::make_shared<const api_request>(api_request{what.what});
  self->request(api, what.what.timeout + answer_guard, payload<api_request>{std::move(request)})
      .then(
          [this, id = what.id](const payload<api_reply>& reply) {
            answered(id);
            perform(machine->listed(id, reply->outcome, at()));
          },
          [this, id = what.id](const caf::error&) { answer_failed(owed::list, id, "no answer to a list"); });
}

void informer_state::carry_out(const informer::open_watch_command& what) {
  // Unique in the process: the actor's id is, and it counts its own streams.
  stream = (std::uint64_t{self->id()} << 32) | (++streams_opened & 0xffff'ffff);
  quiet = what.what.timeout + dead_stream_guard;
  poll(what.id, what.what);
}

void informer_state::carry_out(const informer::next_chunk_command& what) {
  poll(what.id, {});
}

void informer_state::poll(informer::ticket id, const kube::watch_request& what) {
  waiting = owed::chunk;
  waiting_id = id;
  if (!api) return;
  waiting_until = now(self) + quiet + answer_guard;
  set_watchdog();
  auto asked = std::make_shared<const watch_poll>(watch_poll{stream, what, quiet});
  // CAF keeps the timer of an answered request until it is due: minutes for each event, here. One watchdog
  // does.
  self->request(api, caf::infinite, payload<watch_poll>{std::move(asked)})
      .then(
          [this, id](const payload<watch_news>& news) {
            answered(id);
            perform(machine->chunk(id, news->chunk, at()));
          },
          [this, id](const caf::error&) { answer_failed(owed::chunk, id, "no answer to a watch"); });
}

void informer_state::set_watchdog() {
  if (std::exchange(watchdog_set, true)) return;
  self->delayed_send(informer_actor{self}, waiting_until - now(self), watchdog_atom{});
}

void informer_state::watchdog() {
  watchdog_set = false;
  if (waiting != owed::chunk) return;
  if (now(self) >= waiting_until) return answer_failed(owed::chunk, waiting_id, "no answer to a watch");
  set_watchdog();
}

// A late answer to something else leaves owed what is.
void informer_state::answered(informer::ticket id) {
  if (waiting_id == id) waiting = owed::nothing;
}

void informer_state::answer_failed(owed what, informer::ticket id, const std::string& why) {
  answered(id);
  const kube::api_error lost{
      .code = kube::api_errc::transport, .status = 0, .reason = {}, .message = why, .retry_after = {}};
  if (what == owed::list) perform(machine->listed(id, std::unexpected(lost), at()));
  if (what == owed::chunk) perform(machine->chunk(id, kube::watch_chunk{{}, true, lost}, at()));
}

void informer_state::carry_out(const informer::close_watch_command&) {
  if (api) self->send(api, close_watch_atom{}, stream);
}

void informer_state::carry_out(const informer::wait_command& what) {
  self->delayed_send(informer_actor{self}, what.duration, tick_atom{}, std::uint64_t{what.id});
}

void informer_state::publish(const informer::changes& changed) {
  for (auto& [id, to] : subscribers) {
    to.pending.insert(changed.names.begin(), changed.names.end());
    to.initial = to.initial && changed.initial;
    to.due = true;
  }
  for (auto next = subscribers.begin(); next != subscribers.end();) flush((next++)->first);
}

void informer_state::subscribe(const update_consumer& who) {
  const auto [entry, first_time] = subscribers.try_emplace(who.id());
  if (first_time) self->monitor(who);
  auto& to = entry->second;
  to.who = caf::actor_cast<caf::weak_actor_ptr>(who);
  machine->current().objects.for_each(
      [&to](const kube::object_ptr& one) { to.pending.insert(one->meta.name); });
  to.due = machine->current().synced;
  flush(who.id());
}

void informer_state::flush(caf::actor_id id) {
  const auto found = subscribers.find(id);
  if (found == subscribers.end() || !found->second.due || found->second.busy) return;
  auto& to = found->second;
  const auto who = caf::actor_cast<update_consumer>(to.who.lock());
  if (!who) {
    subscribers.erase(found);
    return;
  }
  auto update = std::make_shared<informer_update>();
  update->current = machine->current();
  update->changed.assign(to.pending.begin(), to.pending.end());
  update->initial = to.initial;
  to.pending.clear();
  to.initial = true;
  to.due = false;
  to.busy = true;
  to.sent = update->current.epoch;
  auto taken = [this, id] {
    if (const auto again = subscribers.find(id); again != subscribers.end()) {
      again->second.busy = false;
      again->second.taken = again->second.sent;
      flush(id);
    }
    answer_asked_anew();
  };
  // No time-out: a consumer answers in its handler, and one that is gone is an error at once.
  self->request(who, caf::infinite, payload<informer_update>{std::move(update)})
      .then([taken](ok_atom) { taken(); },
            // Gone: so says its DOWN message, too, which also comes of one that died with the update in hand.
            [](const caf::error&) {});
}

// The next directory brings its successor, which subscribes.
void informer_state::unsubscribe(caf::actor_id id) {
  subscribers.erase(id);
  answer_asked_anew();
}

caf::typed_response_promise<ok_atom> informer_state::list_anew() {
  auto promise = self->make_response_promise<ok_atom>();
  asked_anew.push_back({promise, machine->current().epoch + 1});
  perform(machine->list_anew());
  return promise;
}

void informer_state::answer_asked_anew() {
  std::erase_if(asked_anew, [this](listing_anew& one) {
    const bool listed = machine->current().epoch >= one.epoch;
    const auto has_it = [&one](const auto& entry) { return entry.second.taken >= one.epoch; };
    if (!listed || !std::ranges::all_of(subscribers, has_it)) return false;
    one.asked.deliver(ok_atom{});
    return true;
  });
}

void informer_state::report() {
  const auto waits_for = machine->unready_reason();
  health.tell({.part = "informer/" + std::string{kube::info(of).name},
               .ready = waits_for.empty(),
               .waits_for = waits_for});
}

informer_actor::behavior_type informer_behavior(informer_actor::stateful_pointer<informer_state> self,
                                                informer::scope about) {
  log_exceptions(self, "informer");
  self->state.self = self;
  self->state.of = about.of;
  // Ids grow, and no life has so many lists.
  about.epochs_before = std::uint64_t{self->id()} << 32U;
  self->state.machine = std::make_unique<informer::watch_machine>(std::move(about));
  self->set_down_handler([self](const caf::down_msg& down) { self->state.unsubscribe(down.source.id()); });
  return {
      [self](const directory_ptr& everyone) { self->state.use(everyone); },
      [self](subscribe_atom, const update_consumer& who) { self->state.subscribe(who); },
      [self](list_anew_atom) { return self->state.list_anew(); },
      [self](watchdog_atom) { self->state.watchdog(); },
      [self](tick_atom, std::uint64_t id) {
        self->state.perform(self->state.machine->timer(id, self->state.at()));
      },
  };
}

}  // namespace egress
