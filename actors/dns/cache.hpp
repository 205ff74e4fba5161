#pragma once
// What upstreams answered, for as long as it may be said again. Bounded in bytes, index included; one packet
// loop has one, and uses it alone. A lookup allocates nothing.
//
// Evicted by SIEVE (Zhang et al., NSDI 2024): a hit only sets a bit in the entry that it reads anyway, where
// LRU would write to two neighbours in its list; and names that are asked once and never again, which a crowd
// of clients or an attacker makes by the thousand, are gone before those that are asked again.
//
// Pure: time and the seed come in.

#include <array>
#include <vector>

#include "actors/dns/cacheable.hpp"

namespace egress::dns {

inline constexpr std::chrono::hours stale_for{1};  // RFC 8767; 1 to 3 days are its suggestion, an hour ours
// For so long a failed attempt is remembered: the next failure doubles the pause, and stale data is given
// without another try first (RFC 8767's failure recheck timer).
inline constexpr std::chrono::seconds failure_memory{30};
inline constexpr std::chrono::seconds most_pause{5};  // RFC 9520: at least 1 s, and backing off

enum class cache_state : std::uint8_t {
  miss,     // ask
  fresh,    // answer
  failed,   // the upstreams have just failed, and there is no answer: say so, do not ask
  stale,    // expired: ask, and answer with it when that takes too long or fails
  failing,  // expired, and asking has just failed: answer with it now
};

struct cache_finding {
  cache_state state = cache_state::miss;
  const cache_entry* entry = nullptr;  // valid until the cache learns something; null for a miss
  bool refresh = false;                // answer, and ask upstream beside that
};

class cache {
 public:
  // Nothing is ever kept when `most_bytes` is 0.
  cache(std::size_t most_bytes, cache_seed seed) : most_(most_bytes), seed_(seed) {}
  ~cache();
  cache(const cache&) = delete;
  cache& operator=(const cache&) = delete;

  bool enabled() const { return most_ > 0; }

  // What is known of a question. `refresh` is said once for an answer that was given before, in the last
  // tenth of its life; and for one that is failing whenever a pause is over.
  cache_finding find(const query& asked, cache_time now);

  // Whether the upstreams failed for it within the last half minute, and have given no answer since.
  bool failed_before(const query& asked, cache_time now) const;

  // What an upstream said: `reply` is empty (nobody answered) or passes is_reply_to. A failure does not
  // replace an answer. Throws std::bad_alloc, and has learnt nothing then.
  void learn(const query& asked, bytes reply, cache_time now);

  // In bytes, all included; never more than `most_bytes`.
  std::size_t memory() const { return bytes_ + slots_.size() * sizeof(slot); }
  std::size_t entries(cache_kind kind) const { return counts_[static_cast<std::size_t>(kind)]; }
  // How many gave way to others, ever.
  std::uint64_t evictions(cache_kind kind) const { return evictions_[static_cast<std::size_t>(kind)]; }

 private:
  struct slot {
    std::uint64_t hash = 0;
    cache_entry* entry = nullptr;
  };
  std::size_t entries() const { return counts_[0] + counts_[1]; }
  std::size_t home(std::uint64_t hash) const { return hash & (slots_.size() - 1); }
  std::size_t after(std::size_t at) const { return (at + 1) & (slots_.size() - 1); }
  cache_entry* lookup(const query& asked, std::uint64_t hash) const;

  void keep(const query& asked, const judged_reply& judged, cache_time now);
  void note_failure(const query& asked, rcode code, cache_time now);
  void put(const query& asked, cache_entry_ptr fresh);
  bool make_room(std::size_t size);
  bool grow(std::size_t size);
  void evict();
  void sweep(cache_time now);
  void remove(cache_entry* entry);
  void link(cache_entry* entry);
  void unlink(cache_entry* entry);

  std::size_t most_;
  cache_seed seed_;
  std::vector<slot> slots_;  // open addressing, a power of two, at most three quarters full
  cache_entry *newest_ = nullptr, *oldest_ = nullptr, *hand_ = nullptr;
  std::size_t bytes_ = 0;  // of the entries
  std::size_t swept_ = 0;  // the slot to look at next
  std::array<std::size_t, cache_kinds> counts_{};
  std::array<std::uint64_t, cache_kinds> evictions_{};
};

}  // namespace egress::dns
