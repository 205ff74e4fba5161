#include "actors/dns/io/query_service.hpp"

namespace egress::dns {

query_service::query_service(boost::asio::io_context& context, const worker_config& config,
                             worker_counters& counters)
    : config_(config), counters_(counters), upstream_(context, config, counters, table_) {}

void query_service::ask_upstream(forward_kind how, const asked_by& by, reply_sink sink) {
  const auto kept = config_.log ? std::make_shared<const kept_query>(query_) : nullptr;
  upstream_.ask(query_, how, query_.limit(by.via),
                [this, by, kept, send = std::move(sink)](const sourced_answer& told, bytes answer) {
                  count_answer(told, by);
                  if (kept) note(kept->get(), told, by);
                  send(answer);
                });
}

void query_service::write_down(const query& asked, const sourced_answer& told, const asked_by& by) {
  auto one = describe(asked, told.made, by.via, told.from, table_.get());
  one.answered = std::chrono::system_clock::now();
  one.took = std::chrono::steady_clock::now() - by.arrived;
  if (!config_.log->put(one)) counters_.log_dropped.add();
}

std::uint64_t query_service::seconds_now() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::seconds>(now).count());
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
