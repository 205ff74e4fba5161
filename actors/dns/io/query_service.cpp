#include "actors/dns/io/query_service.hpp"

#include <utility>

namespace egress::dns {

using std::chrono::steady_clock;

query_service::query_service(boost::asio::io_context& context, const worker_config& config,
                             worker_counters& counters)
    : config_(config), counters_(counters), upstream_(context, config, counters, table_) {}

void query_service::read(std::span<const bytes> packets) {
  // A new loop's table is on its way; who sees that we are ready must not meet one that knows nothing.
  if (!table_ && config_.last_table) table_ = config_.last_table->get();
  for (std::size_t i = 0; i < packets.size(); ++i) {
    read_query& next = read_[i];
    next.judged = upstream_.judge(parse_query(packets[i], next.asked), next.asked);
  }
  if (!table_ || packets.size() == 1) return;
  std::array<std::uint32_t, together> hashes;
  for (std::size_t i = 0; i < packets.size(); ++i)
    hashes[i] = read_[i].judged == reaction::serve ? table_->fetch_slot(read_[i].asked.name) : 0;
  for (std::size_t i = 0; i < packets.size(); ++i) table_->fetch_record(hashes[i]);
}

void query_service::end_batch(steady_clock::time_point arrived) {
  const std::chrono::nanoseconds took = steady_clock::now() - arrived;
  counters_.durations.add(duration_bounds, static_cast<std::uint64_t>(took.count()),
                          std::exchange(answered_, 0));
}

void query_service::ask_upstream(const query& asked, forward_kind how, const asked_by& by, reply_sink sink) {
  const auto kept = config_.log ? std::make_shared<const kept_query>(asked) : nullptr;
  upstream_.ask(asked, how, asked.limit(by.via),
                [this, by, kept, send = std::move(sink)](const sourced_answer& told, bytes answer) {
                  count_answer(told, by);
                  const std::chrono::nanoseconds took = steady_clock::now() - by.arrived;
                  counters_.durations.add(duration_bounds, static_cast<std::uint64_t>(took.count()));
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

void query_service::count_request(const query& asked, const asked_by& by) {
  const auto via = static_cast<std::size_t>(by.via);
  const auto type = asked.question_size == 0 ? counted_types.size() : type_bucket(asked.type);
  counters_.requests[via][by.v6 ? 1 : 0][type].add();
  counters_.request_sizes[via].add(size_bounds, asked.packet.size());
}

void query_service::count_answer(const sourced_answer& told, const asked_by& by) {
  const auto code = std::min(static_cast<std::size_t>(told.made.code), counted_rcodes - 1);
  counters_.responses[code][static_cast<std::size_t>(told.from)].add();
  counters_.response_sizes[static_cast<std::size_t>(by.via)].add(size_bounds, told.made.size);
}

}  // namespace egress::dns
