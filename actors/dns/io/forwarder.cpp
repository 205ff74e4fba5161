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

// RFC 9520, 3.1: so many questions for one name to one upstream at most. Each is open until the deadline, and
// with each a guessed reply has a chance.
constexpr std::ptrdiff_t most_tries = 3;

domain_routes routes_of(const std::vector<forward_domain>& domains) {
  std::vector<wire_name> names;
  for (const auto& one : domains) names.push_back(one.domain);
  return domain_routes(names);
}

}  // namespace

forwarder::forwarder(asio::io_context& context, const worker_config& config, worker_counters& counters,
                     learn on_reply)
    : context_(context),
      config_(config),
      limits_(config.forward),
      counters_(counters),
      learn_(std::move(on_reply)),
      tick_(context),
      routes_(routes_of(config.domains)),
      waiting_(config.domains.size() + 1) {
  groups_.push_back(make_group(root_name(), config.upstreams));
  for (const auto& one : config.domains) groups_.push_back(make_group(one.domain, one.servers));
}

forwarder::~forwarder() {
  for (auto* question : pending_) drop_attempts(*question);
  for (const auto& group : groups_) group->retire();
}

forwarder::group_ptr forwarder::make_group(const wire_name& domain, upstream_list servers) {
  auto made =
      std::make_shared<upstream_group>(context_, config_, counters_, room_, domain, std::move(servers));
  made->start([this] { upstream_checked(); });
  return made;
}

void forwarder::use(const upstream_list& servers) {
  if (closed_ || servers == groups_[all_others]->servers()) return;
  const auto old = std::exchange(groups_[all_others], make_group(root_name(), servers));
  old->retire();
  // What has not been asked yet is asked of the new ones.
  for (auto* question : pending_)
    if (question->group == old && question->tried.empty()) question->group = groups_[all_others];
  upstream_checked();
}

void forwarder::ask(const query& asked, done on_done) {
  if (!ticking_) tick_later();
  pending_question* const same = pending_.find(asked);
  pending_question& question = same ? *same : pending_.add(asked);
  question.waiters.push_back(std::move(on_done));
  if (!same) question.part = part_of(asked.name);
  ++waiting_[question.part];
  counters_.forwards_in_flight.fetch_add(1, std::memory_order_relaxed);
  counters_.forward_requests.add();
  if (same) return;
  const auto now = steady_clock::now();
  question.group = groups_[question.part];
  question.deadline = now + limits_.budget;
  try {
    try_next(question, now);
  } catch (const std::bad_alloc&) {
    wait(question, limits_.least, now);  // and then try again
  }
}

// Questions that came before any upstream was known to be usable.
void forwarder::upstream_checked() {
  for (auto* question : pending_)
    if (question->tried.empty()) try_next(*question, steady_clock::now());
}

void forwarder::try_next(pending_question& question, time now) {
  const auto next = question.group->choose(question.tried);
  if (!next)
    return wait(question, question.group->is_checking() ? limits_.budget : std::chrono::milliseconds{0}, now);
  const auto before = std::ranges::count(question.tried, *next);
  // Those that are open may be answered still.
  if (before >= most_tries) return wait(question, limits_.budget, now);
  question.tried.push_back(*next);
  launch(question, question.asked, *next, now);
  wait(question, question.group->patience(*next) * (1 << before), now);
}

void forwarder::launch(pending_question& question, const query& asked, std::size_t upstream, time now) {
  auto io = question.group->ask(upstream, asked, now, [this, whose = &question](exchange& from, bytes reply) {
    attempt_ended(*whose, from, reply);
  });
  question.attempts.push_back({.upstream = upstream, .began = now, .io = std::move(io)});
}

void forwarder::wait(pending_question& question, std::chrono::milliseconds patience, time now) {
  patience_.set(question, std::min(now + patience, question.deadline));
}

void forwarder::tick_later() {
  tick_.expires_after(timer_wheel::tick);
  tick_.async_wait([this](error_code cancelled) {
    if (cancelled) return;
    const auto now = steady_clock::now();
    patience_.advance(now, [&](timed& one) { patience_over(static_cast<pending_question&>(one), now); });
    ticking_ = false;
    if (!patience_.empty()) tick_later();
  });
  ticking_ = true;
}

void forwarder::patience_over(pending_question& question, time now) {
  for (auto& attempt : question.attempts)
    if (!std::exchange(attempt.late, true)) question.group->failed(attempt.upstream);
  const bool nobody = question.group->usable() == 0 && !question.group->is_checking();
  if (nobody || now >= question.deadline) return finish(question, question.poor);
  go_on(question, now);
}

// Everyone who is asked is late.
void forwarder::go_on(pending_question& question, time now) {
  if (asks_plainly(question, now)) return;
  // A datagram may have been lost: each is asked again before one's failure is believed.
  const bool asked_again = question.tried.size() >= 2 * question.group->usable();
  if (!question.poor.empty() && (asked_again || is_hopeless(question)))
    return finish(question, question.poor);
  try_next(question, now);
}

// Nobody who is asked may know better: none is left, or those who say nothing are late, and unhealthy.
bool forwarder::is_hopeless(const pending_question& question) const {
  return std::ranges::all_of(question.attempts, [&](const auto& one) {
    return one.late && !question.poor.empty() && !question.group->healthy(one.upstream);
  });
}

// An attempt calls back as long as its question holds it: never for one that was there before.
void forwarder::attempt_ended(pending_question& question, exchange& io, bytes reply) {
  const auto mine = std::ranges::find(question.attempts, &io, [](const auto& one) { return one.io.get(); });
  if (mine == question.attempts.end()) return;
  const auto ended = std::move(*mine);  // holds what calls us
  question.attempts.erase(mine);
  const bool no_edns = !reply.empty() && may_not_know_edns(io.asked(), reply);
  if (no_edns) question.no_edns_at = ended.upstream;
  question.group->ended(ended.upstream, ended.began, reply);
  const bool plain = io.asked().without_edns;
  // A header alone is no answer for anyone.
  if (no_edns && reply.size() == header_size) reply = {};
  if (!reply.empty()) reply = without_extended_rcode(question.asked, reply, plain_);
  replied(question, ended.upstream, reply, plain);
}

void forwarder::replied(pending_question& question, std::size_t upstream, bytes reply, bool plain) {
  // What the question does not lead to is not believed by anyone, nor cached; a reply that cannot be read is
  // none.
  if (!reply.empty()) reply = in_bailiwick(question.asked, reply, trimmed_).value_or(bytes{});
  const bool everyone_tried = question.tried.size() >= question.group->usable();
  if (!reply.empty()) {
    // Without EDNS there are no signatures in it: who validates the next time is to have them, if anybody
    // does.
    const bool keep = !plain || !question.asked.wants_dnssec;
    if (is_answer(static_cast<rcode>(load16(&reply[2]) & flag::rcode))) return finish(question, reply, keep);
    question.poor.assign(reply.begin(), reply.end());
    drop_late_attempts(question, upstream);
  }
  if (!everyone_tried) return try_next(question, steady_clock::now());
  if (asks_plainly(question, steady_clock::now())) return;
  // All failed at once (nothing listens there, for one): no use in waiting.
  if (is_hopeless(question)) return finish(question, question.poor);
  const auto is_late = [](const auto& one) { return one.late; };
  if (std::ranges::all_of(question.attempts, is_late)) go_on(question, steady_clock::now());
}

// When all have been tried, one that seems not to know EDNS is asked without it (RFC 6891, section 7), beside
// those that are silent. Whether it is asked so now.
bool forwarder::asks_plainly(pending_question& question, time now) {
  const bool everyone_tried = question.tried.size() >= question.group->usable();
  if (!question.no_edns_at || question.plain_asked || !everyone_tried) return false;
  question.plain_asked = true;
  question.plain = question.asked;
  question.plain.without_edns = true;
  launch(question, question.plain, *question.no_edns_at, now);
  wait(question, question.group->patience(*question.no_edns_at), now);
  return true;
}

void forwarder::finish(pending_question& question, bytes reply, bool keep) {
  pending_.remove(question);
  patience_.cancel(question);
  const auto told = question.waiters.size();
  waiting_[question.part] -= told;
  counters_.forwards_in_flight.fetch_sub(static_cast<std::int64_t>(told), std::memory_order_relaxed);
  if (reply.empty())
    counters_.forward_failures.add(told);
  else
    counters_.forward_responses[load16(&reply[2]) & flag::rcode].add();
  if (keep) learn_(question.asked, reply);
  // Nobody joins them any more: who asks the same from here on begins anew.
  for (const auto& waiter : question.waiters) waiter(reply);
  drop_attempts(question);
  pending_.give_back(question);
}

// What it says to the last one it would say to those.
void forwarder::drop_late_attempts(pending_question& question, std::size_t upstream) {
  const auto is_one = [&](const auto& one) { return one.late && one.upstream == upstream; };
  for (auto& attempt : question.attempts)
    if (is_one(attempt)) question.group->drop(upstream, *attempt.io);
  std::erase_if(question.attempts, is_one);
}

void forwarder::drop_attempts(pending_question& question) {
  for (auto& attempt : question.attempts) question.group->drop(attempt.upstream, *attempt.io);
  question.attempts.clear();
}

void forwarder::fail_all() {
  closed_ = true;
  for (const auto& group : groups_) group->retire();
  while (!pending_.empty()) finish(**pending_.begin(), {});
}

}  // namespace egress::dns
