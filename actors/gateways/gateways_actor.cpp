#include "actors/gateways/gateways_actor.hpp"

#include <caf/send.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include "runtime/actor/system.hpp"

namespace egress {
namespace {

// Weak: a question under way must not keep a dead actor alive.
auto deliver_to(const gateways_actor& self, std::uint64_t ticket) {
  return [weak = caf::actor_cast<caf::weak_actor_ptr>(self), ticket](std::vector<gateways::pod_answer> pods) {
    auto answer = std::make_shared<const gateway_answer>(gateway_answer{std::move(pods)});
    if (auto strong = weak.lock())
      caf::anon_send(caf::actor_cast<gateways_actor>(strong), ticket, payload<gateway_answer>{answer});
  };
}

}  // namespace

pods_asker played_pods() {
  return
      [](const gateway_question& what, const std::function<void(std::vector<gateways::pod_answer>)>& done) {
        const gateways::pod_answer all{{what.listeners.begin(), what.listeners.end()}, {}};
        done(std::vector(what.addresses.size(), all));
      };
}

gateways_actor::behavior_type gateways_behavior(gateways_actor::stateful_pointer<gateways_state> self,
                                                pods_asker ask) {
  log_exceptions(self, "gateways");
  return {
      [](const directory_ptr&) {},
      [self, ask](const payload<gateway_question>& what) {
        auto& state = self->state;
        const auto ticket = state.next_ticket++;
        auto promise = self->make_response_promise<payload<gateway_answer>>();
        state.questions.emplace(ticket, promise);
        ask(*what, deliver_to(gateways_actor{self}, ticket));
        return promise;
      },
      [self](std::uint64_t ticket, const payload<gateway_answer>& answer) {
        const auto found = self->state.questions.find(ticket);
        if (found == self->state.questions.end()) return;
        found->second.deliver(answer);
        self->state.questions.erase(found);
      },
  };
}

}  // namespace egress
