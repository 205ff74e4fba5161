#include "actors/dns/io/query_service.hpp"

namespace egress::dns {
namespace {

constexpr std::chrono::seconds root_refresh{30};

}  // namespace

query_service::query_service(boost::asio::io_context& context, const worker_config& config,
                             worker_counters& counters)
    : config_(config), counters_(counters), forwarder_(context, config.upstreams, config.forward, counters) {}

void query_service::ask_upstream(forward_kind how, const asked_by& by, reply_sink sink) {
  const auto kept = std::make_shared<const kept_query>(query_);
  forwarder_.ask(query_, [this, how, by, kept, send = std::move(sink)](bytes reply) {
    std::vector<std::uint8_t> out;
    const auto& asked = kept->get();
    const outcome made =
        finish_forwarded(asked, how, reply, table_.get(), config_.answers, asked.limit(by.via), out);
    const plugin from = made.hijacked ? plugin::egressoperator : plugin::forward;
    count_answer(made, by, from);
    note(asked, made, by, from);
    send(out);
  });
}

// CoreDNS's health probe: it marks us down when this takes long, and hijacked names leak to its next
// upstream.
outcome query_service::answer_root_probe(const asked_by& by, buffer out) {
  refresh_root();
  if (root_reply_.empty())
    return respond_error(query_, rcode::servfail, {ede::not_ready, "the root is not known yet"}, out);
  std::vector<std::uint8_t> whole;
  const std::size_t limit = std::min(query_.limit(by.via), out.size());
  const auto made = finish_forwarded(query_, forward_kind::root_probe, root_reply_, table_.get(),
                                     config_.answers, limit, whole);
  std::copy(whole.begin(), whole.end(), out.begin());
  return made;
}

void query_service::refresh_root() {
  const auto now = std::chrono::steady_clock::now();
  if (asking_root_ || !forwarder_.has_room() || (!root_reply_.empty() && now - root_asked_ < root_refresh))
    return;
  asking_root_ = true;
  root_asked_ = now;
  forwarder_.ask(query_, [this](bytes reply) {
    asking_root_ = false;
    const bool good = !reply.empty() && (load16(&reply[2]) & flag::rcode) == 0;
    if (good) root_reply_.assign(reply.begin(), reply.end());
  });
}

void query_service::write_down(const query& asked, const outcome& made, const asked_by& by, plugin from) {
  auto one = describe(asked, made, by.via, from, table_.get());
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

void query_service::count_answer(const outcome& made, const asked_by& by, plugin from) {
  const auto code = std::min(static_cast<std::size_t>(made.code), counted_rcodes - 1);
  counters_.responses[code][static_cast<std::size_t>(from)].add();
  counters_.response_sizes[static_cast<std::size_t>(by.via)].add(size_bounds, made.size);
  const std::chrono::nanoseconds took = std::chrono::steady_clock::now() - by.arrived;
  counters_.durations.add(duration_bounds, static_cast<std::uint64_t>(took.count()));
}

}  // namespace egress::dns
