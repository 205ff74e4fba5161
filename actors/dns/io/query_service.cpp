#include "actors/dns/io/query_service.hpp"

namespace egress::dns {

query_service::query_service(boost::asio::io_context& context, const worker_config& config,
                             worker_counters& counters)
    : config_(config), counters_(counters), upstream_(context, config, counters, table_) {}

void query_service::ask_upstream(forward_kind how, const asked_by& by, reply_sink sink) {
  upstream_.ask(query_, how, query_.limit(by.via),
                [this, by, send = std::move(sink)](const sourced_answer& told, bytes answer) {
                  count_answer(told, by);
                  send(answer);
                });
}

void query_service::count_request(std::size_t size, const asked_by& by) {
  const auto via = static_cast<std::size_t>(by.via);
  const auto type = query_.question_size == 0 ? counted_types.size() : type_bucket(query_.type);
  counters_.requests[via][by.v6 ? 1 : 0][type].add();
  counters_.request_sizes[via].add(size_bounds, size);
}

void query_service::count_answer(const sourced_answer& told, const asked_by& by) {
  const auto code = std::min(static_cast<std::size_t>(told.made.code), counted_rcodes - 1);
  counters_.responses[code][static_cast<std::size_t>(told.from)].add();
  counters_.response_sizes[static_cast<std::size_t>(by.via)].add(size_bounds, told.made.size);
  const std::chrono::nanoseconds took = std::chrono::steady_clock::now() - by.arrived;
  counters_.durations.add(duration_bounds, static_cast<std::uint64_t>(took.count()));
}

}  // namespace egress::dns
