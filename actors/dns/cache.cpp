#include "actors/dns/cache.hpp"

#include <algorithm>
#include <utility>

namespace egress::dns {
namespace {

constexpr std::size_t first_slots = 64;
// An answer that would drive out much of the rest is not worth it.
constexpr std::size_t largest_share = 8;
constexpr std::size_t swept_at_once = 4;
constexpr int most_steps = 64;

// What malloc takes for a block: a word in front of it, and rounding.
std::size_t charge(std::size_t block) {
  return (block + 8 + 15) / 16 * 16;
}

// Of a large cache every line of an entry comes from memory: all at once is one wait, not four.
void fetch_ahead(const cache_entry& entry) {
  const auto* from = reinterpret_cast<const std::uint8_t*>(&entry);
  for (std::size_t line = 0; line < 256; line += 64) __builtin_prefetch(from + line);
}

cache_time expiry(const cache_entry& entry) {
  return entry.stored + std::chrono::seconds(entry.lifetime);
}
bool has_answer(const cache_entry& entry, cache_time now) {
  return entry.lifetime > 0 && now < expiry(entry) + stale_for;
}
bool failed_lately(const cache_entry& entry, cache_time now) {
  return entry.failures > 0 && now < entry.failed + failure_memory;
}
// 1 s, 2 s, 4 s, 5 s from the failure on.
bool pausing(const cache_entry& entry, cache_time now) {
  const std::chrono::seconds doubled{1 << std::min(entry.failures - 1, 4)};
  return now < entry.failed + std::min(doubled, most_pause);
}

}  // namespace

cache::~cache() {
  while (oldest_) free_entry{}(std::exchange(oldest_, oldest_->newer));
}

cache_entry* cache::lookup(const query& asked, std::uint64_t hash) const {
  if (slots_.empty()) return nullptr;
  for (std::size_t at = home(hash); slots_[at].entry; at = after(at)) {
    if (slots_[at].hash != hash) continue;
    fetch_ahead(*slots_[at].entry);
    if (slots_[at].entry->is_for(asked, hash)) return slots_[at].entry;
  }
  return nullptr;
}

cache_finding cache::find(const query& asked, cache_time now) {
  cache_entry* entry = lookup(asked, hash_key(asked, seed_));
  if (!entry) return {};
  entry->visited = true;
  if (entry->lifetime > 0 && now < expiry(*entry)) {
    const bool due = entry->hit && !entry->prefetched &&
                     (expiry(*entry) - now) * 10 <= std::chrono::seconds(entry->lifetime);
    entry->hit = true;
    entry->prefetched |= due;
    return {cache_state::fresh, entry, due};
  }
  const bool failed = failed_lately(*entry, now);
  if (has_answer(*entry, now)) {
    if (!failed) return {cache_state::stale, entry, false};
    return {cache_state::failing, entry, !pausing(*entry, now)};
  }
  if (failed && pausing(*entry, now)) return {cache_state::failed, entry, false};
  return {};
}

bool cache::failed_before(const query& asked, cache_time now) const {
  const auto* entry = lookup(asked, hash_key(asked, seed_));
  return entry && failed_lately(*entry, now);
}

void cache::learn(const query& asked, bytes reply, cache_time now) {
  if (!enabled()) return;
  sweep(now);
  const judged_reply judged = judge_reply(asked, reply);
  if (judged.worth == reply_worth::failure) return note_failure(asked, judged.code, now);
  if (judged.worth == reply_worth::keep) return keep(asked, judged, now);
  if (judged.worth == reply_worth::pass) return;
  if (cache_entry* old = lookup(asked, hash_key(asked, seed_))) remove(old);
}

void cache::keep(const query& asked, const judged_reply& judged, cache_time now) {
  auto fresh = make_entry(asked, hash_key(asked, seed_), judged.message, judged.ttls, judged.capped_ttls);
  fresh->kind = judged.kind;
  fresh->lifetime = judged.lifetime;
  fresh->additional_at = static_cast<std::uint16_t>(judged.additional_at);
  fresh->stored = now;
  put(asked, std::move(fresh));
}

void cache::note_failure(const query& asked, rcode code, cache_time now) {
  const std::uint64_t hash = hash_key(asked, seed_);
  if (cache_entry* known = lookup(asked, hash)) {
    // Who asked together fails together: that is one failure.
    if (known->failures > 0 && pausing(*known, now)) return;
    const bool again = failed_lately(*known, now);
    known->failures = again ? static_cast<std::uint8_t>(std::min(known->failures + 1, 5)) : 1;
    known->failed = now;
    known->failure = code;
    return;
  }
  // The name is all that such an entry needs.
  std::array<std::uint8_t, header_size + max_name_size> message{};
  std::copy_n(asked.name.data.begin(), asked.name.size, message.begin() + header_size);
  auto fresh = make_entry(asked, hash, bytes(message).first(header_size + asked.name.size), {}, 0);
  fresh->kind = cache_kind::denial;
  fresh->stored = fresh->failed = now;
  fresh->failure = code;
  fresh->failures = 1;
  put(asked, std::move(fresh));
}

// Takes the place of what is known of the question.
void cache::put(const query& asked, cache_entry_ptr fresh) {
  const std::size_t size = charge(fresh->block_size());
  if (cache_entry* old = lookup(asked, fresh->hash)) {
    fresh->visited = old->visited;
    remove(old);
  }
  if (size > most_ / largest_share || !make_room(size)) return;
  cache_entry* entry = fresh.release();
  std::size_t at = home(entry->hash);
  while (slots_[at].entry) at = after(at);
  slots_[at] = {entry->hash, entry};
  link(entry);
  bytes_ += size;
  ++counts_[static_cast<std::size_t>(entry->kind)];
}

// False when there can be none: the bound is too small for anything.
bool cache::make_room(std::size_t size) {
  while (entries() > 0 && memory() + size > most_) evict();
  if ((entries() + 1) * 4 > slots_.size() * 3 && !grow(size)) {
    if (entries() == 0) return false;
    evict();
  }
  return true;
}

// Beside `size` more. The old slots live as long as the new ones are filled: for that moment the index is
// half as large again as it counts.
bool cache::grow(std::size_t size) {
  const std::size_t wanted = std::max(first_slots, slots_.size() * 2);
  if (bytes_ + size + wanted * sizeof(slot) > most_) return false;
  try {
    std::vector<slot> narrow(wanted);
    narrow.swap(slots_);
    for (const auto& one : narrow) {
      if (!one.entry) continue;
      std::size_t at = home(one.hash);
      while (slots_[at].entry) at = after(at);
      slots_[at] = one;
    }
    return true;
  } catch (const std::bad_alloc&) {
    return false;
  }
}

// The hand goes from old to new, spares those that were asked for since it was here, and takes the first that
// was not. After some steps it takes any: a poor choice is better than a packet loop that stands still.
void cache::evict() {
  cache_entry* at = hand_ ? hand_ : oldest_;
  for (int step = 0; at->visited && step < most_steps; ++step) {
    at->visited = false;
    at = at->newer ? at->newer : oldest_;
  }
  hand_ = at;
  ++evictions_[static_cast<std::size_t>(at->kind)];
  remove(at);
}

// What can be of no more use goes, little by little: an idle cache must not hold memory for it.
void cache::sweep(cache_time now) {
  for (std::size_t i = 0; i < swept_at_once && entries() > 0; ++i) {
    swept_ &= slots_.size() - 1;
    cache_entry* entry = slots_[swept_].entry;
    if (entry && !has_answer(*entry, now) && !failed_lately(*entry, now))
      remove(entry);
    else
      ++swept_;
  }
}

void cache::remove(cache_entry* entry) {
  std::size_t hole = home(entry->hash);
  while (slots_[hole].entry != entry) hole = after(hole);
  // What follows moves up, as far as it is not at home there: so there are no tombstones.
  for (std::size_t next = after(hole); slots_[next].entry; next = after(next)) {
    const std::size_t mask = slots_.size() - 1;
    if (((next - home(slots_[next].hash)) & mask) < ((next - hole) & mask)) continue;
    slots_[hole] = slots_[next];
    hole = next;
  }
  slots_[hole] = {};
  if (hand_ == entry) hand_ = entry->newer;
  unlink(entry);
  bytes_ -= charge(entry->block_size());
  --counts_[static_cast<std::size_t>(entry->kind)];
  free_entry{}(entry);
}

void cache::link(cache_entry* entry) {
  entry->older = newest_;
  (newest_ ? newest_->newer : oldest_) = entry;
  newest_ = entry;
}

void cache::unlink(cache_entry* entry) {
  (entry->older ? entry->older->newer : oldest_) = entry->newer;
  (entry->newer ? entry->newer->older : newest_) = entry->older;
}

}  // namespace egress::dns
