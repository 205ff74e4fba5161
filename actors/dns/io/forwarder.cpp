#include "actors/dns/io/forwarder.hpp"

#include <algorithm>

#include "actors/dns/bailiwick.hpp"

namespace egress::dns {

namespace asio = boost::asio;
using boost::system::error_code;
using std::chrono::steady_clock;

namespace {

wire_name root_name() {
  wire_name root;
  root.data[0] = 0;
  root.size = 1;
  return root;
}

domain_routes routes_of(const std::vector<forward_domain>& domains) {
  std::vector<wire_name> names;
  for (const auto& one : domains) names.push_back(one.domain);
  return domain_routes(names);
}

}  // namespace

forwarder::forwarder(asio::io_context& context, const worker_config& config, worker_counters& counters)
    : context_(context),
      config_(config),
      limits_(config.forward),
      counters_(counters),
      default_group_(make_group(root_name(), config.upstreams)),
      routes_(routes_of(config.domains)) {
  for (const auto& one : config.domains) domain_groups_.push_back(make_group(one.domain, one.servers));
}

forwarder::~forwarder() {
  for (auto& [key, question] : pending_) {
    question->timer.cancel();
    drop_attempts(*question);
  }
  default_group_->retire();
  for (const auto& group : domain_groups_) group->retire();
}

forwarder::group_ptr forwarder::make_group(const wire_name& domain, upstream_list servers) {
  auto made = std::make_shared<upstream_group>(context_, config_, counters_, domain, std::move(servers));
  made->start([this] { upstream_checked(); });
  return made;
}

void forwarder::use(const upstream_list& servers) {
  if (closed_ || servers == default_group_->servers()) return;
  const auto old = std::exchange(default_group_, make_group(root_name(), servers));
  old->retire();
  // What has not been asked yet is asked of the new ones.
  for (const auto& [key, question] : pending_)
    if (question->group == old && question->tried.empty()) question->group = default_group_;
  upstream_checked();
}

const forwarder::group_ptr& forwarder::group_for(const wire_name& name) const {
  const auto found = routes_.find(name);
  return found ? domain_groups_[*found] : default_group_;
}

void forwarder::ask(const query& asked, done on_done) {
  ++waiting_;
  counters_.forwards_in_flight.fetch_add(1, std::memory_order_relaxed);
  counters_.forward_requests.add();
  if (const auto found = pending_.find(sharing_key(asked)); found != pending_.end()) {
    found->second->waiters.push_back(std::move(on_done));
    return;
  }
  auto question = std::make_shared<pending>(context_, asked, group_for(asked.name));
  question->waiters.push_back(std::move(on_done));
  question->deadline = steady_clock::now() + limits_.budget;
  pending_.emplace(question->key, question);
  try_next(question);
}

// Questions that came before any upstream was known to be usable.
void forwarder::upstream_checked() {
  for (const auto& [key, question] : pending_)
    if (question->tried.empty()) try_next(question);
}

void forwarder::try_next(const pending_ptr& question) {
  if (const auto next = question->group->choose(question->tried)) {
    question->tried.push_back(*next);
    launch(question, *next);
    return wait(question, question->group->patience(*next));
  }
  wait(question, question->group->is_checking() ? limits_.budget : std::chrono::milliseconds{0});
}

void forwarder::launch(const pending_ptr& question, std::size_t upstream) {
  const auto number = ++attempts_made_;
  question->attempts.push_back({.number = number, .upstream = upstream, .io = nullptr});
  question->attempts.back().io = question->group->ask(
      upstream, question->asked, [this, weak = std::weak_ptr(question), number](bytes reply) {
        if (const auto still = weak.lock()) attempt_ended(still, number, reply);
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
  if (!question->attempts.empty()) question->group->failed(question->attempts.back().upstream);
  const bool nobody = question->group->usable() == 0 && !question->group->is_checking();
  if (nobody || steady_clock::now() >= question->deadline) return finish(question, question->poor);
  try_next(question);
}

void forwarder::attempt_ended(const pending_ptr& question, std::uint64_t number, bytes reply) {
  const auto mine = std::ranges::find(question->attempts, number, &attempt::number);
  if (mine == question->attempts.end()) return;
  const auto holds_the_reply = mine->io;
  question->attempts.erase(mine);
  replied(question, reply);
}

void forwarder::replied(const pending_ptr& question, bytes reply) {
  // What the question does not lead to is not believed by anyone, nor cached; a reply that cannot be read is
  // none.
  std::vector<std::uint8_t> room;
  if (!reply.empty()) reply = in_bailiwick(question->asked->get(), reply, room).value_or(bytes{});
  const bool everyone_tried = question->tried.size() >= question->group->usable();
  if (!reply.empty()) {
    const auto code = static_cast<rcode>(load16(&reply[2]) & flag::rcode);
    if (code != rcode::servfail && code != rcode::refused) return finish(question, reply);
    question->poor.assign(reply.begin(), reply.end());
    if (everyone_tried && question->attempts.empty()) return finish(question, reply);
  }
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
  for (auto& attempt : question.attempts) question.group->drop(attempt.upstream, *attempt.io);
  question.attempts.clear();
}

void forwarder::fail_all() {
  closed_ = true;
  default_group_->retire();
  for (const auto& group : domain_groups_) group->retire();
  while (!pending_.empty()) {
    const pending_ptr next = pending_.begin()->second;
    finish(next, {});
  }
}

}  // namespace egress::dns
