#include "actors/dns/io/upstream_group.hpp"

#include "actors/dns/io/loop_watch.hpp"

namespace egress::dns {

namespace asio = boost::asio;
using boost::system::error_code;
using std::chrono::steady_clock;

upstream_group::upstream_group(asio::io_context& context, const worker_config& config,
                               worker_counters& counters, const std::shared_ptr<datagram_room>& room,
                               const wire_name& domain, upstream_list servers)
    : context_(context),
      config_(config),
      counters_(counters),
      domain_(domain),
      servers_(std::move(servers)),
      upstreams_(servers_.size(), config.policy, config.forward,
                 config.loops ? loop_state::unchecked : loop_state::clear),
      probe_timer_(context),
      loop_timer_(context),
      loop_pause_(config.forward.probe) {
  for (const auto& server : servers_) {
    auto& one = *all_.emplace_back(
        std::make_unique<one_upstream>(context, room, server.address, config.forward.own_ports));
    one.channel = make_channel(server);
    one.counters = counters.upstreams.of(to_text(server.address));
  }
}

upstream_group::~upstream_group() {
  retire();
  for (const auto& one : all_) one->channel->close();
}

void upstream_group::start(std::function<void()> on_checked) {
  on_checked_ = std::move(on_checked);
  if (!config_.loops) return;
  for (std::size_t at = 0; at < all_.size(); ++at) check_loop(at);
}

void upstream_group::retire() {
  retired_ = true;
  on_checked_ = [] {};
  probe_timer_.cancel();
  loop_timer_.cancel();
  for (const auto& one : all_) {
    one->patience.cancel();
    if (const auto probe = std::exchange(one->probe, nullptr)) probe->cancel();
    if (config_.loops && one->loop_name.size != 0) config_.loops->forget(one->loop_name);
    one->loop_name.size = 0;
  }
}

std::shared_ptr<stream_channel> upstream_group::make_channel(const upstream_server& to) {
  stream_channel::make_stream make = [this] { return net::make_tcp_stream(context_); };
  if (!to.tls_name.empty())
    make = [this, name = to.tls_name] { return net::make_tls_stream(context_, config_.tls, name); };
  const asio::ip::tcp::endpoint endpoint(to.address.address(), to.address.port());
  auto made = std::make_shared<stream_channel>(context_, endpoint, std::move(make), config_.forward.channel);
  if (!to.tls_name.empty())
    made->on_news([this, text = to_text(to.address)](const std::string& problem) {
      config_.upstream_news(text, problem.empty() ? "" : "no connection: " + problem);
    });
  return made;
}

std::optional<std::size_t> upstream_group::choose(const std::vector<std::size_t>& tried) {
  note_arrivals();
  const auto chosen = upstreams_.choose(tried, random_());
  if (chosen && !upstreams_.any_healthy()) counters_.forward_healthcheck_broken.add();
  return chosen;
}

std::shared_ptr<exchange> upstream_group::begin(std::size_t at, const query& asked, port_time now,
                                                exchange::done on_done) {
  auto made = std::make_shared<exchange>(context_, all_[at]->channel, asked);
  if (servers_[at].tls_name.empty())
    made->start_at(all_[at]->ports.next(now), random_, std::move(on_done));
  else
    made->start_on_channel(std::move(on_done));
  return made;
}

std::shared_ptr<exchange> upstream_group::ask(std::size_t at, const query& asked, port_time now,
                                              exchange::done on_done) {
  auto made = begin(at, asked, now, std::move(on_done));
  upstreams_.began(at);
  return made;
}

void upstream_group::ended(std::size_t at, port_time began, bytes reply) {
  upstreams_.ended(at);
  if (reply.empty()) return failed(at);
  const std::chrono::nanoseconds took = steady_clock::now() - began;
  const auto counted = static_cast<std::uint64_t>(took.count());
  upstreams_.replied(at, took);
  counters_.forward_durations.add(duration_bounds, counted);
  all_[at]->counters->durations[load16(&reply[2]) & flag::rcode].add(duration_bounds, counted);
}

void upstream_group::drop(std::size_t at, exchange& question) {
  upstreams_.ended(at);
  question.cancel();
}

void upstream_group::failed(std::size_t at) {
  upstreams_.failed(at);
  probe_later();
}

}  // namespace egress::dns
