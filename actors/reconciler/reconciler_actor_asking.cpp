// How a run asks the API server, and what becomes of an answer that does not come.

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include "actors/reconciler/reconciler_actor.hpp"
#include "runtime/actor/system.hpp"

namespace egress {
namespace {

// Above the client's own bound: it is only missed when the kube_api actor died.
constexpr seconds answer_guard{10};

kube::reply no_answer() {
  kube::api_error lost;
  lost.message = "no answer from the way to the API server";
  return std::unexpected(std::move(lost));
}

}  // namespace

void reconciler_state::ask(kube::request what, std::function<void(const kube::reply&)> handler) {
  what.term = current->work->term;
  what.patient = current->work->patient;
  const auto question = ++questions;
  const auto until = now(self) + what.timeout + answer_guard;
  current->asked.emplace(question, reconciler_state::question{std::move(handler), until});
  auto request = std::make_shared<const api_request>(api_request{std::move(what)});
  // No time-out: CAF keeps the timer of an answered request, and with it the actor, until it is due. The
  // dispatcher has one timer for all, and sends a tick.
  self->request(current->work->api, caf::infinite, payload<api_request>{std::move(request)})
      .then([this, question](const payload<api_reply>& reply) { answered(question, reply->outcome); },
            [this, question](const caf::error&) { answered(question, no_answer()); });
}

// One that was given up, and comes all the same, is nobody's.
void reconciler_state::answered(std::uint64_t question, const kube::reply& reply) {
  if (!current) return;
  const auto found = current->asked.find(question);
  if (found == current->asked.end()) return;
  const auto handler = std::move(found->second.handler);
  current->asked.erase(found);
  handler(reply);
}

void reconciler_state::give_up_late_answers() {
  if (!current) return;
  std::vector<std::uint64_t> late;
  for (const auto& [number, one] : current->asked)
    if (one.until <= now(self)) late.push_back(number);
  for (const auto number : late) answered(number, no_answer());
}

}  // namespace egress
