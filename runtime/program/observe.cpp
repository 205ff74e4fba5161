#include "runtime/program/observe.hpp"

#include <fmt/format.h>

#include <stdexcept>

#include "actors/metrics/registry.hpp"
#include "runtime/actor/io_thread.hpp"
#include "runtime/http/server.hpp"
#include "runtime/program/memory.hpp"
#include "runtime/program/process_stats.hpp"

namespace egress {

namespace {
constexpr std::uint64_t work_between_trims = 500;
}

dispatcher_observer observe_queue(metrics::registry& registry, operator_facts& facts) {
  dispatcher_observer made;
  made.learnt = [&facts](const kube::published& now) { facts.saw(now, std::chrono::steady_clock::now()); };
  made.taken = [&registry](std::chrono::nanoseconds queued) { registry.left_queue(queued); };
  made.done = [&registry](std::chrono::nanoseconds worked, const reconciler::verdict& how) {
    registry.worked(worked);
    const auto result = !how.success        ? metrics::reconcile_result::error
                        : how.status_later  ? metrics::reconcile_result::requeue
                        : how.requeue_after ? metrics::reconcile_result::requeue_after
                                            : metrics::reconcile_result::success;
    registry.reconciled(result, worked, how.terminal);
  };
  made.mailbox = registry.mailbox_of("dispatcher");
  made.ineffective = [&registry](kube::kind of, const std::string& pointer) {
    registry.field_ignored(fmt::format("{}:{}", kube::info(of).name, pointer));
  };
  // The queue counts for itself; the registry counts what is new since the last look.
  made.queue = [&registry, &facts, adds = std::uint64_t{0}, retries = std::uint64_t{0},
                trimmed_at = std::uint64_t{0}](const reconciler::queue_metrics& now) mutable {
    for (; adds < now.adds; ++adds) registry.queue_added();
    for (; retries < now.retries; ++retries) registry.queue_retried();
    // A burst is over: what its decoding and rendering needed goes back to the kernel.
    if (now.depth == 0 && now.processing == 0 && now.adds - trimmed_at >= work_between_trims) {
      trimmed_at = now.adds;
      give_back_memory();
    }
    facts.queued(now.depth);
    registry.set_queue({now.depth, now.processing, now.unfinished, now.longest_running});
  };
  return made;
}

std::function<void(const saved_table_ptr&)> observe_table(operator_facts& facts,
                                                          std::shared_ptr<table_saver> saver) {
  return [&facts, saver = std::move(saver)](const saved_table_ptr& table) {
    facts.built_table(table->size(), std::chrono::steady_clock::now());
    if (saver) saver->save(table);
  };
}

namespace {

metrics::status status_now(const health_board& board, const operator_facts& facts, steady_time now) {
  metrics::status made;
  made.leader = "every replica";
  made.informers = facts.informers(now);
  made.external_services = facts.not_ready();
  made.table_names = facts.table(now).first;
  made.queue_depth = facts.queue_depth();
  for (const auto& [part, report] : board) {
    if (part == "leader") made.leader = report.says;
    made.actors.push_back(
        {part, report.ready ? "ready" : "waits for " + report.waits_for, facts.deaths(part)});
  }
  return made;
}

}  // namespace

metrics::pages pages_of(metrics::registry& registry, const operator_facts& facts,
                        std::shared_ptr<published_board> board, readiness ready, std::string version) {
  const auto started = std::chrono::steady_clock::now();
  metrics::pages made;
  made.metrics = [&registry, &facts, board] {
    const auto [names, age] = facts.table(std::chrono::steady_clock::now());
    registry.set_hijack_table(names, age);
    registry.set_gateways(facts.gateways());
    registry.set_process(read_process_stats());
    const auto parts = board->get();
    for (const auto& [part, report] : *parts) registry.set_part_ready(part, report.ready);
    return registry.text();
  };
  // Of all lives of the metrics actor; its servers are on the I/O thread.
  made.health = [board, shared = std::make_shared<readiness>(std::move(ready))] {
    return shared->of(*board->get());
  };
  made.status_page = [&facts, board, version, started] {
    const auto now = std::chrono::steady_clock::now();
    auto page = status_now(*board->get(), facts, now);
    page.version = version;
    page.uptime = std::chrono::duration_cast<seconds>(now - started);

    return page;
  };
  return made;
}

namespace {

// Any pod may ask, and no page takes a body: what all of them together may hold here is a few MiB of heads.
http::server_limits page_limits() {
  http::server_limits limits;
  limits.body_bytes = 1024;
  limits.connections = 64;
  return limits;
}

}  // namespace

std::unique_ptr<http::server> serve_pages(io_thread& on, const net::listening_socket& socket,
                                          std::shared_ptr<const metrics::pages> pages) {
  auto made = std::make_unique<http::server>(
      on.context().get_executor(), http::plain_handler([pages](const http::server_request& asked) {
        auto answer = metrics::answer(asked.method, asked.target, *pages);
        http::server_response out{answer.status, std::move(answer.content_type), std::move(answer.body), {}};
        if (!answer.allow.empty()) out.headers.emplace_back("Allow", answer.allow);
        return out;
      }),
      page_limits());
  auto own = socket.fd.dup();
  if (!own) throw std::runtime_error("no descriptor for the metrics socket");
  if (auto served = made->serve(own.release()); !served) throw std::runtime_error(served.error().message);
  return made;
}

}  // namespace egress
