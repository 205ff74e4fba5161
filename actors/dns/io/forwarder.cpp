#include "actors/dns/io/forwarder.hpp"

#include <algorithm>

namespace egress::dns {

namespace asio = boost::asio;
using boost::system::error_code;
using std::chrono::steady_clock;

forwarder::forwarder(asio::io_context& context, std::vector<upstream_address> addresses,
                     forwarder_limits limits, worker_counters& counters)
    : context_(context),
      upstreams_(std::move(addresses), limits),
      limits_(limits),
      counters_(counters),
      probe_timer_(context) {}

forwarder::~forwarder() {
  for (auto& [key, question] : pending_) {
    question->timer.cancel();
    drop_attempts(*question);
  }
}

void forwarder::ask(const query& asked, done on_done) {
  ++waiting_;
  counters_.forwards_in_flight.fetch_add(1, std::memory_order_relaxed);
  counters_.forward_requests.add();
  if (const auto found = pending_.find(sharing_key(asked)); found != pending_.end()) {
    found->second->waiters.push_back(std::move(on_done));
    return;
  }
  auto question = std::make_shared<pending>(context_, asked);
  question->waiters.push_back(std::move(on_done));
  question->deadline = steady_clock::now() + limits_.budget;
  pending_.emplace(question->key, question);
  try_next(question);
}

void forwarder::try_next(const pending_ptr& question) {
  const auto next = upstreams_.choose(question->tried);
  if (!next) return wait(question, std::chrono::milliseconds{0});
  question->tried.push_back(*next);
  launch(question, *next);
  wait(question, upstreams_.patience(*next));
}

void forwarder::launch(const pending_ptr& question, std::size_t upstream) {
  const auto id = static_cast<std::uint16_t>(random_());
  attempt next{.io = std::make_shared<exchange>(context_, upstreams_.address(upstream), question->asked, id),
               .upstream = upstream,
               .began = steady_clock::now()};
  upstreams_.began(upstream);
  question->attempts.push_back(next);
  next.io->start([this, weak = std::weak_ptr(question), io = next.io.get()](bytes reply) {
    const auto still = weak.lock();
    if (!still) return;
    const auto mine = std::ranges::find(still->attempts, io, [](const attempt& a) { return a.io.get(); });
    if (mine == still->attempts.end()) return;
    const attempt ended = *mine;  // keeps the exchange, whose buffer the reply is in
    still->attempts.erase(mine);
    upstreams_.ended(ended.upstream);
    const auto took = steady_clock::now() - ended.began;
    if (reply.empty()) {
      upstreams_.failed(ended.upstream);
    } else {
      upstreams_.replied(ended.upstream, took);
      counters_.forward_durations.add(duration_bounds,
                                      static_cast<std::uint64_t>(std::chrono::nanoseconds(took).count()));
    }
    replied(still, ended.upstream, reply);
  });
}

void forwarder::wait(const pending_ptr& question, std::chrono::milliseconds patience) {
  question->timer.expires_at(std::min(steady_clock::now() + patience, question->deadline));
  question->timer.async_wait([this, weak = std::weak_ptr(question)](error_code cancelled) {
    const auto still = weak.lock();
    if (still && !cancelled) patience_over(still);
  });
}

void forwarder::patience_over(const pending_ptr& question) {
  // The late attempt stays open: its reply is as good as the next one's.
  if (!question->attempts.empty()) upstreams_.failed(question->attempts.back().upstream);
  probe_later();
  if (upstreams_.size() == 0 || steady_clock::now() >= question->deadline)
    return finish(question, question->poor);
  try_next(question);
}

void forwarder::replied(const pending_ptr& question, std::size_t, bytes reply) {
  const bool everyone_tried = question->tried.size() >= upstreams_.size();
  if (!reply.empty()) {
    const auto code = static_cast<rcode>(load16(&reply[2]) & flag::rcode);
    if (code != rcode::servfail && code != rcode::refused) return finish(question, reply);
    question->poor.assign(reply.begin(), reply.end());
    if (everyone_tried && question->attempts.empty()) return finish(question, reply);
  }
  probe_later();
  if (!everyone_tried) return try_next(question);
  // All failed at once (nothing listens there): no use in waiting.
  if (question->attempts.empty()) finish(question, question->poor);
}

void forwarder::finish(const pending_ptr& question, bytes reply) {
  pending_.erase(question->key);
  question->timer.cancel();
  // Attempts are cancelled only afterwards: the reply may lie in the buffer of one.
  const auto waiters = std::move(question->waiters);
  waiting_ -= waiters.size();
  counters_.forwards_in_flight.fetch_sub(static_cast<std::int64_t>(waiters.size()),
                                         std::memory_order_relaxed);
  if (reply.empty())
    counters_.forward_failures.add(waiters.size());
  else
    counters_.forward_responses[load16(&reply[2]) & flag::rcode].add();
  for (const auto& waiter : waiters) waiter(reply);
  drop_attempts(*question);
}

void forwarder::drop_attempts(pending& question) {
  for (auto& attempt : question.attempts) {
    upstreams_.ended(attempt.upstream);
    attempt.io->cancel();
  }
  question.attempts.clear();
}

void forwarder::fail_all() {
  closed_ = true;
  probe_timer_.cancel();
  while (!pending_.empty()) {
    const pending_ptr next = pending_.begin()->second;
    finish(next, {});
  }
}

// While an upstream is unhealthy it is asked `. NS` now and then: only so can it become healthy again.
void forwarder::probe_later() {
  if (probing_ || closed_) return;
  bool needed = false;
  for (std::size_t i = 0; i < upstreams_.size(); ++i) needed |= !upstreams_.healthy(i);
  if (!needed) return;
  probing_ = true;
  probe_timer_.expires_after(limits_.probe);
  probe_timer_.async_wait([this](error_code cancelled) {
    if (cancelled) return;
    probing_ = false;
    probe();
    probe_later();
  });
}

void forwarder::probe() {
  query root;
  root.type = rr::ns;
  root.rr_class = rr::class_in;
  root.name.data[0] = 0;
  root.name.size = 1;
  root.flags = flag::rd;
  for (std::size_t i = 0; i < upstreams_.size(); ++i) {
    if (upstreams_.healthy(i)) continue;
    // A question without waiters, for this upstream only.
    auto question = std::make_shared<pending>(context_, root);
    question->key = "probe of " + std::to_string(i);
    if (!pending_.emplace(question->key, question).second) continue;
    question->deadline = steady_clock::now() + limits_.most;
    question->tried.assign(upstreams_.size(), i);
    launch(question, i);
    wait(question, limits_.most);
  }
}

}  // namespace egress::dns
