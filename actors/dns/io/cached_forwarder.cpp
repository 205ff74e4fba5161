#include "actors/dns/io/cached_forwarder.hpp"

#include "actors/dns/hijacked_alias.hpp"

namespace egress::dns {

namespace asio = boost::asio;
using boost::system::error_code;
using std::chrono::steady_clock;

namespace {

// Four variants (DO, CD) of an answer of a kilobyte.
constexpr std::size_t root_bytes = 32 * 1024;

bool has_answer(const cache_finding& found) {
  return found.state == cache_state::fresh || found.state == cache_state::stale ||
         found.state == cache_state::failing;
}

bool is_failure(bytes reply) {
  return reply.empty() || !is_answer(static_cast<rcode>(load16(&reply[2]) & flag::rcode));
}

}  // namespace

// A client who waits for an upstream. Its memory is used again and again.
struct cached_forwarder::waiting {
  void tell(const sourced_answer& told, bytes answer) {
    if (patience) patience->cancel();
    if (const auto call = std::exchange(on_done, nullptr)) call(told, answer);
  }

  std::uint64_t number = 0;  // of the wait, ever; 0: it waits for nothing
  kept_query asked;
  forward_kind how = forward_kind::plain;
  std::size_t limit = 0;
  done on_done;                                  // empty once it was called
  std::unique_ptr<asio::steady_timer> patience;  // while there is a stale answer to fall back on
};

cached_forwarder::cached_forwarder(asio::io_context& context, const worker_config& config,
                                   worker_counters& counters,
                                   const std::shared_ptr<const hijack_table>& table)
    : context_(context),
      config_(config),
      counters_(counters),
      table_(table),
      cache_(config.cache.bytes, random_seed()),
      root_(root_bytes, random_seed()),
      forwarder_(context, config, counters,
                 [this](const query& asked, bytes reply) { learn(asked, reply); }) {
  // What the loop before this one knew is gone with it.
  for (auto& entries : counters_.cache_entries) entries.store(0, std::memory_order_relaxed);
  counters_.cache_bytes.store(0, std::memory_order_relaxed);
}

cached_forwarder::~cached_forwarder() = default;

cache& cached_forwarder::cache_for(const query& asked) {
  return asked.name.is_root() && asked.type == rr::ns ? root_ : cache_;
}

sourced_answer cached_forwarder::answer(const query& asked, forward_kind how, answer_moment at, buffer out) {
  cache& known = cache_for(asked);
  const auto found = known.find(asked, at.now);
  if (cache_.enabled()) count(found);
  const auto at_once = [&] {
    return how == forward_kind::root_probe || at.hurried || !forwarder_.has_room(asked);
  };
  const bool answered = found.state != cache_state::miss && (found.state != cache_state::stale || at_once());
  // A finding is valid until something is learnt: never from within a call of ours.
  const auto told = answered ? from_cache(asked, how, found, at.now, out) : first_time(asked, how, at, out);
  const bool probe_is_due = how == forward_kind::root_probe &&
                            (found.state == cache_state::miss || found.state == cache_state::stale);
  if ((found.refresh && !at.hurried) || probe_is_due) refresh(asked, found.state != cache_state::fresh);
  return told;
}

sourced_answer cached_forwarder::from_cache(const query& asked, forward_kind how, const cache_finding& found,
                                            cache_time now, buffer out) {
  const auto made = respond_cached(asked, how, found, now, table_.get(), config_.answers, out);
  const bool stale = found.state == cache_state::stale || found.state == cache_state::failing;
  if (stale) counters_.cache_served_stale.add();
  return {made, made.hijacked ? plugin::egressoperator : plugin::cache};
}

// Nothing is known. CoreDNS marks us down when its health probe `. NS` takes long, and hijacked names leak to
// its next upstream: so that has no time to ask.
sourced_answer cached_forwarder::first_time(const query& asked, forward_kind how, answer_moment at,
                                            buffer out) {
  const bool hurried = at.hurried;
  if (how == forward_kind::root_probe)
    return {respond_error(asked, rcode::servfail, {ede::not_ready, "the root is not known yet"}, out),
            plugin::none};
  // A wildcard's name has an answer without them: while the upstreams fail nobody waits for that again and
  // again.
  const bool fails = how == forward_kind::wildcard && cache_for(asked).failed_before(asked, at.now);
  if (fails && !hurried) refresh(asked, true);
  if (!fails && !hurried && forwarder_.has_room(asked))
    return {{.what = action::forward, .how = how}, plugin::none};
  // A failure to ask for the real name, as others are.
  if (how == forward_kind::wildcard)
    return {respond_hijacked(asked, table_.get(), config_.answers.answers, out), plugin::egressoperator};
  (hurried ? counters_.overload_refused : counters_.forward_rejects).add();
  const auto* why = hurried ? "more queries come than can be served" : "too many queries wait for upstreams";
  return {respond_error(asked, rcode::refused, {ede::other, why}, out), plugin::none};
}

void cached_forwarder::count(const cache_finding& found) {
  counters_.cache_requests.add();
  if (found.state == cache_state::miss || found.state == cache_state::stale)
    counters_.cache_misses.add();
  else
    counters_.cache_hits[static_cast<std::size_t>(found.entry->kind)].add();
}

// In the background. The client has its answer: it does not matter to it when there is no room, no memory or
// no descriptor for this.
void cached_forwarder::refresh(const query& asked, bool expired) noexcept {
  try {
    if (!forwarder_.has_room(asked) || forwarder_.is_asking(asked)) return;
    forwarder_.ask(asked, [](bytes) {});
    if (!expired) counters_.cache_prefetches.add();
  } catch (...) {
    return;
  }
}

void cached_forwarder::ask(const query& asked, forward_kind how, std::size_t limit, done on_done) {
  waiting& client = wait_for(asked, how, limit, std::move(on_done));
  try {
    if (cache_for(asked).find(asked, steady_clock::now()).state == cache_state::stale) be_patient(client);
    forwarder_.ask(asked, [this, at = &client](bytes reply) {
      settle(*at, reply);
      give_back(*at);
    });
  } catch (...) {
    give_back(client);
    throw;
  }
}

cached_forwarder::waiting& cached_forwarder::wait_for(const query& asked, forward_kind how, std::size_t limit,
                                                      done on_done) {
  if (spare_.empty()) {
    spare_.reserve(clients_.size() + 1);  // giving back must not fail
    spare_.push_back(clients_.emplace_back(std::make_unique<waiting>()).get());
  }
  waiting& client = *spare_.back();
  client.asked.keep(asked);
  client.how = how;
  client.limit = limit;
  client.on_done = std::move(on_done);
  client.number = ++waits_;
  spare_.pop_back();
  return client;
}

void cached_forwarder::give_back(waiting& client) {
  client.on_done = nullptr;
  client.patience = nullptr;
  client.number = 0;
  spare_.push_back(&client);
}

// The client gets the stale answer when the upstreams take too long.
void cached_forwarder::be_patient(waiting& client) {
  client.patience = std::make_unique<asio::steady_timer>(context_, config_.cache.stale_after);
  client.patience->async_wait([this, at = &client, number = client.number](error_code cancelled) {
    if (!cancelled && at->number == number) answer_stale(*at);
  });
}

void cached_forwarder::learn(const query& asked, bytes reply) {
  if (table_ && !reply.empty() && has_hijacked_alias(asked, reply, *table_)) counters_.hijacked_aliases.add();
  try {
    cache_for(asked).learn(asked, reply, steady_clock::now());
  } catch (const std::bad_alloc&) {
    // The answer is good all the same.
  }
  for (const auto kind : {cache_kind::success, cache_kind::denial}) {
    const auto at = static_cast<std::size_t>(kind);
    counters_.cache_entries[at].store(cache_.entries(kind), std::memory_order_relaxed);
    counters_.cache_evictions[at].add(cache_.evictions(kind) - evictions_told_[at]);
    evictions_told_[at] = cache_.evictions(kind);
  }
  counters_.cache_bytes.store(cache_.memory(), std::memory_order_relaxed);
}

void cached_forwarder::settle(waiting& client, bytes reply) {
  if (!client.on_done || (is_failure(reply) && answer_stale(client))) return;
  const auto made = finish_forwarded(client.asked.get(), client.how, reply, table_.get(), config_.answers,
                                     client.limit, answer_);
  client.tell({made, made.hijacked ? plugin::egressoperator : plugin::forward}, answer_);
}

// False when there is no answer to fall back on. The table is asked again: the name may have been hijacked
// while the upstreams were thinking.
bool cached_forwarder::answer_stale(waiting& client) {
  const query& asked = client.asked.get();
  const auto now = steady_clock::now();
  const auto found = cache_for(asked).find(asked, now);
  if (!has_answer(found)) return false;
  std::vector<std::uint8_t> out(client.limit);
  sourced_answer told{respond(asked, reaction::serve, true, table_.get(), config_.answers.answers, out),
                      plugin::egressoperator};
  if (told.made.what == action::forward) told = from_cache(asked, told.made.how, found, now, out);
  client.tell(told, bytes(out).first(told.made.size));
  return true;
}

}  // namespace egress::dns
