// The child tasks of a run: what they are given, and what becomes of each step.

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <utility>

#include "actors/reconciler/reconciler_actor.hpp"
#include "runtime/actor/system.hpp"

namespace egress {
namespace {

// Tries at the previous address, 5 ms to 80 ms apart, before a re-created Service takes another.
constexpr unsigned insist_on_cluster_ip = 5;
constexpr auto autoscaler = kube::child_index(kube::kind::horizontal_pod_autoscaler);

}  // namespace

// Of this process' memory, else of the status that an earlier one wrote.
std::string reconciler_state::previous_cluster_ip() const {
  const auto& seen = memory().expected.last_cluster_ip();
  return seen.empty() ? current->work->external_service->as_external_service().status.cluster_ip : seen;
}

void reconciler_state::start_tasks() {
  const auto& external_service = current->work->external_service;
  auto desired = reconciler::desired_of(*external_service, current->live, current->ipv6, config->gateways,
                                        config->rules);
  if (desired.refused) {
    current->refused = std::move(desired.refused);
    return children_done();
  }
  current->config_hash = desired.config_hash;
  const auto before = reconciler::made_before(memory().rendered, current->live, desired.children,
                                              config->gateways, config->rules);
  memory().rendered = reconciler::remember(
      external_service, reconciler::key_of(*external_service, current->live, current->ipv6), desired);
  for (const auto kind : kube::child_kinds) {
    const auto i = kube::child_index(kind);
    if (desired.children[i]) current->wanted[i] = desired.children[i]->projected;
    current->tasks.emplace_back(reconciler::child_task_input{
        external_service, config->gateways.name_space, kind, std::move(desired.children[i]), current->live[i],
        before[i] ? before[i]->object : nullptr, memory().expected.known()[i], current->work->ineffective[i],
        kind == kube::kind::service ? previous_cluster_ip() : std::string{},
        memory().cluster_ip_refusals < insist_on_cluster_ip,
        reconciler::waits_for_reports(kind, *external_service, config->gateways.profile)});
  }
  current->under_way = current->tasks.size();
  memory().pace.about(external_service->meta.uid);
  const auto& deployment = current->live[kube::child_index(kube::kind::deployment)];
  const bool waits =
      !deployment || reconciler::whose(*external_service, *deployment) != reconciler::ownership::ours;
  current->autoscaler_waits = waits;
  for (const auto kind : reconciler::start_order)
    if (kind != kube::kind::horizontal_pod_autoscaler || !waits) start_task(kube::child_index(kind));
}

// An autoscaler scales whatever has its name: it comes when that is known to be our Deployment, or nobody's.
void reconciler_state::start_autoscaler(reconciler::child_state deployment) {
  using enum reconciler::child_state;
  if (reconciler::is_ours(deployment)) return start_task(autoscaler);
  if (deployment != rejected && deployment != forbidden) return hold_autoscaler_back();
  // A create is refused whether there is one of the name or not.
  kube::request look;
  look.what = kube::verb::get;
  look.of = kube::kind::deployment;
  look.name_space = config->gateways.name_space;
  look.name = current->work->external_service->meta.name;
  look.metadata_only = true;
  ask(std::move(look), [this](const kube::reply& reply) {
    const bool nobodys = !reply && reply.error().code == kube::api_errc::not_found;
    nobodys ? start_task(autoscaler) : hold_autoscaler_back();
  });
}

void reconciler_state::hold_autoscaler_back() {
  reconciler::child_outcome later;
  later.state = reconciler::child_state::held_back;
  advance(autoscaler, std::move(later));
}

void reconciler_state::start_task(std::size_t task) {
  auto step = current->tasks[task].start();
  const bool writes = std::holds_alternative<kube::request>(step);
  const auto pause = writes ? memory().pace.wait(task, current->wanted[task], now(self)) : milliseconds{0};
  if (pause > milliseconds{0}) {
    current->paused = std::max(current->paused, pause);
    reconciler::child_outcome later;
    later.state = reconciler::child_state::held_back;
    step = std::move(later);
  }
  advance(task, std::move(step));
}

void reconciler_state::advance(std::size_t task, reconciler::child_task::step step) {
  if (auto* request = std::get_if<kube::request>(&step)) {
    ask(std::move(*request),
        [this, task](const kube::reply& reply) { advance(task, current->tasks[task].next(reply)); });
    return;
  }
  current->outcomes[task] =
      joined(std::move(current->outcomes[task]), std::get<reconciler::child_outcome>(std::move(step)));
  if (task == kube::child_index(kube::kind::deployment) && std::exchange(current->autoscaler_waits, false))
    start_autoscaler(current->outcomes[task].state);
  if (--current->under_way > 0) return;
  const bool held = !current->outcomes[kube::child_index(kube::kind::service)].ports_held.empty();
  held && !current->asked_pods ? ask_for_pods() : children_done();
}

}  // namespace egress
