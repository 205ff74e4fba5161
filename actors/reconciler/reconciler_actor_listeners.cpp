// The part of a run that asks a gateway's pods for the listeners of the Service's new ports. See
// service_ports.hpp.

#include <fmt/format.h>

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include "actors/reconciler/envoy/configuration.hpp"
#include "actors/reconciler/reconciler_actor.hpp"
#include "actors/reconciler/service_ports.hpp"

namespace egress {
namespace {

constexpr auto service_index = kube::child_index(kube::kind::service);
// Above what the gateways actor may take.
constexpr seconds answer_bound{10};
// A kubelet brings a ConfigMap to its pods within a minute or two.
constexpr milliseconds first_wait{1'000}, longest_wait{10'000};
// So many waits for pods that are not ready yet, some five minutes when nothing else happens: one that never
// will be must not keep a port from the others.
constexpr unsigned most_waits_for_coming = 30;

}  // namespace

void reconciler_state::ask_for_pods() {
  current->asked_pods = true;
  kube::request what;
  what.what = kube::verb::get_raw;
  what.path = reconciler::endpoint_slices_path(config->gateways.name_space,
                                               current->work->external_service->meta.name);
  ask(std::move(what), [this](const kube::reply& reply) { ask_pods(reply); });
}

void reconciler_state::ask_pods(const kube::reply& endpoint_slices) {
  const auto& held = current->outcomes[service_index].ports_held;
  const auto* document = endpoint_slices ? std::get_if<kube::document>(&*endpoint_slices) : nullptr;
  if (document == nullptr)
    return pods_answered(reconciler::no_report(
        held, endpoint_slices ? "the API server's answer is none" : endpoint_slices.error().message));
  auto pods = reconciler::pods_of(document->json);
  if (!pods) return pods_answered(reconciler::no_report(held, pods.error().message));
  const auto& gateway = current->work->external_service->meta.name;
  if (pods->ready.empty()) return pods_answered(reconciler::report_of(gateway, held, {}));
  if (pods->coming > 0 && memory().waits < most_waits_for_coming)
    return pods_answered(
        reconciler::no_report(held, fmt::format("{} of {} pods are coming up, and may not have them yet",
                                                pods->coming, pods->coming + pods->ready.size())));
  if (!current->work->gateways) return nobody_asks();
  auto question = std::make_shared<const gateway_question>(
      gateway_question{std::move(pods->ready), static_cast<std::uint16_t>(envoy::reload_admin_port),
                       reconciler::listeners_of(gateway, held)});
  self->request(current->work->gateways, answer_bound, payload<gateway_question>{std::move(question)})
      .then(
          [this](const payload<gateway_answer>& answer) {
            pods_answered(reconciler::report_of(current->work->external_service->meta.name,
                                                current->outcomes[service_index].ports_held, answer->pods));
          },
          [this](const caf::error&) { nobody_asks(); });
}

// The gateways actor is being started again.
void reconciler_state::nobody_asks() {
  pods_answered(
      reconciler::no_report(current->outcomes[service_index].ports_held, "nobody is there to ask them"));
}

void reconciler_state::pods_answered(const reconciler::listener_report& report) {
  current->waits_for_listeners = report.why;
  if (report.reported.empty()) return children_done();
  auto& task = current->tasks[service_index];
  task = task.knowing(report.reported);
  current->under_way = 1;
  advance(service_index, task.start());
}

std::optional<milliseconds> reconciler_state::ask_again_in(const run& finished) {
  auto& waits = finished.work->memory->waits;
  if (finished.waits_for_listeners.empty()) {
    waits = 0;
    return std::nullopt;
  }
  constexpr unsigned most_doublings = 10;
  return std::min(longest_wait, first_wait * (1U << std::min(waits++, most_doublings)));
}

}  // namespace egress
