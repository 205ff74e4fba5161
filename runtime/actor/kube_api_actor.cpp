#include "runtime/actor/kube_api_actor.hpp"

#include <caf/send.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include "runtime/actor/bridge.hpp"
#include "runtime/actor/system.hpp"

namespace egress {
namespace {

template <class Payload>
void keep_promise(std::map<std::uint64_t, caf::typed_response_promise<Payload>>& promises,
                  std::uint64_t ticket, const Payload& outcome) {
  const auto found = promises.find(ticket);
  if (found == promises.end()) return;
  if (outcome)
    found->second.deliver(outcome);
  else
    found->second.deliver(caf::make_error(caf::sec::runtime_error));
  promises.erase(found);
}

// Weak: a coroutine that is still under way must not keep a dead actor alive.
auto deliver_to(const kube_api_actor& self) {
  return [weak = caf::actor_cast<caf::weak_actor_ptr>(self)](payload<delivery> what) {
    if (auto strong = weak.lock()) caf::anon_send(caf::actor_cast<kube_api_actor>(strong), std::move(what));
  };
}

}  // namespace

kube_api_actor::behavior_type kube_api_behavior(kube_api_actor::stateful_pointer<kube_api_state> self,
                                                bridge_factory make_bridge) {
  log_exceptions(self, "kube_api");
  self->state.bridge = make_bridge(deliver_to(self));
  return {
      [](const directory_ptr&) {},
      [self](const payload<api_request>& what) {
        auto& state = self->state;
        const auto ticket = state.next_ticket++;
        auto promise = self->make_response_promise<payload<api_reply>>();
        state.requests.emplace(ticket, promise);
        state.bridge->request(ticket, what);
        return promise;
      },
      [self](const payload<watch_poll>& what) {
        auto& state = self->state;
        const auto ticket = state.next_ticket++;
        auto promise = self->make_response_promise<payload<watch_news>>();
        state.polls.emplace(ticket, promise);
        state.bridge->poll(ticket, what);
        return promise;
      },
      [self](close_watch_atom, std::uint64_t stream) { self->state.bridge->close_watch(stream); },
      [self](const payload<delivery>& what) {
        keep_promise(self->state.requests, what->ticket, what->reply);
        keep_promise(self->state.polls, what->ticket, what->news);
      },
  };
}

}  // namespace egress
