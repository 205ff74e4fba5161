#include "actors/metrics/metrics_actor.hpp"

#include <algorithm>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include "runtime/actor/system.hpp"
#include "runtime/base/log.hpp"
#include "runtime/http/server.hpp"

namespace egress {

metrics::health_state health_of(const health_board& board, const needed_parts& needed) {
  metrics::health_state state;
  // Alive as long as this is answered: a part that waits is no reason to restart the process.
  state.live.push_back({"ping", true, ""});
  for (const auto& part : needed.expected)
    if (!board.contains(part)) state.ready.push_back({part, false, "it has not started"});
  for (const auto& [part, report] : board)
    if (report.ready || !needed.may_wait.contains(part))
      state.ready.push_back({part, report.ready, report.waits_for});
  return state;
}

metrics::health_state readiness::of(const health_board& board) {
  auto state = health_of(board, needed_);
  if (after_ && std::ranges::all_of(state.ready, &metrics::check::ok)) {
    needed_ = std::move(*after_);
    after_.reset();
  }
  return state;
}

metrics_state::metrics_state() = default;
metrics_state::~metrics_state() = default;

metrics_actor::behavior_type metrics_behavior(metrics_actor::stateful_pointer<metrics_state> self,
                                              metrics_config config) {
  log_exceptions(self, "metrics");
  auto& state = self->state;
  state.config = std::move(config);
  state.parts = *state.config.board->get();
  state.server = state.config.serve();
  return {
      [](const directory_ptr&) {},
      [self](const payload<health_report>& report) {
        auto& s = self->state;
        auto& known = s.parts[report->part];
        if (known.ready != report->ready)
          log::info(report->ready ? "ready" : "not ready",
                    {{"part", report->part}, {"waits_for", report->waits_for}});
        known = *report;
        s.config.board->set(std::make_shared<const health_board>(s.parts));
      },
  };
}

}  // namespace egress
