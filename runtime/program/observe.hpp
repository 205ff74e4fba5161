#pragma once
// What the actors do, as metrics: the functions they are given to say so, and the pages made of it.

#include <memory>
#include <string>
#include <vector>

#include "actors/metrics/metrics_actor.hpp"
#include "actors/reconciler/dispatcher_actor.hpp"
#include "runtime/net/listen.hpp"
#include "runtime/program/facts.hpp"
#include "runtime/program/table_file.hpp"

namespace egress {

class io_thread;
namespace metrics {
class registry;
}

// All of it for the I/O thread; `registry`, `facts`, `board` and `socket` outlive what is made here.

dispatcher_observer observe_queue(metrics::registry& registry, operator_facts& facts);
// `saver` is null when tables are not saved.
std::function<void(const saved_table_ptr&)> observe_table(operator_facts& facts,
                                                          std::shared_ptr<table_saver> saver);

metrics::pages pages_of(metrics::registry& registry, const operator_facts& facts,
                        std::shared_ptr<published_board> board, readiness ready, std::string version);
// Throws when descriptors have run out: the start of the metrics actor fails then, and is tried again.
std::unique_ptr<http::server> serve_pages(io_thread& on, const net::listening_socket& socket,
                                          std::shared_ptr<const metrics::pages> pages);

}  // namespace egress
