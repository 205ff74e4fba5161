#pragma once
// What the cache keeps of one question: one block of memory with the entry, where its TTLs are, and the
// upstream's message without OPT. Pure.

#include <chrono>
#include <cstring>
#include <memory>
#include <new>
#include <span>

#include "actors/dns/query.hpp"

namespace egress::dns {

using cache_time = std::chrono::steady_clock::time_point;

// As CoreDNS counts them: what has data; what has none, or failed.
enum class cache_kind : std::uint8_t { success, denial };
inline constexpr std::size_t cache_kinds = 2;

// Makes the hash of a key unpredictable: clients choose the names, and must not be able to let them collide.
struct cache_seed {
  std::uint64_t first = 0, second = 0;
};

// DO and CD change what an upstream answers; AD and the rest do not.
inline std::uint8_t key_bits(const query& asked) {
  return static_cast<std::uint8_t>((asked.wants_dnssec ? 1 : 0) | (asked.has(flag::cd) ? 2 : 0));
}

inline std::uint64_t hash_key(const query& asked, cache_seed seed) {
  std::uint64_t state = seed.first ^ (std::uint64_t{asked.type} << 8 | key_bits(asked));
  const auto mix = [&](std::uint64_t word) {
    const auto wide =
        static_cast<unsigned __int128>(state ^ word) * (seed.second ^ 0xe7037ed1a0b428dbu ^ state >> 32);
    state = static_cast<std::uint64_t>(wide) ^ static_cast<std::uint64_t>(wide >> 64);
  };
  const std::uint8_t* at = asked.name.data.data();
  std::size_t left = asked.name.size;
  for (; left >= 8; left -= 8, at += 8) {
    std::uint64_t word;
    std::memcpy(&word, at, 8);
    mix(word);
  }
  std::uint64_t tail = 0;
  if (left > 0) std::memcpy(&tail, at, left);
  mix(tail ^ std::uint64_t{asked.name.size} << 56);
  mix(seed.second);
  return state;
}

struct cache_entry {
  cache_entry *newer = nullptr, *older = nullptr;  // in the order of their coming
  std::uint64_t hash = 0;
  cache_time stored{};
  cache_time failed{};         // the last time that the upstreams did not answer
  std::uint32_t lifetime = 0;  // seconds; 0: there is no answer, only failures are known
  std::uint32_t message_size = 0;
  std::uint16_t type = 0, ttl_count = 0;
  std::uint16_t capped_ttls = 0;    // how many of the TTLs, the first ones, --dns-max-ttl is for
  std::uint16_t additional_at = 0;  // where in the message additional records begin
  std::uint8_t bits = 0, name_size = 0;
  cache_kind kind = cache_kind::success;
  rcode failure = rcode::servfail;  // what the upstreams said
  std::uint8_t failures = 0;        // in a row
  bool visited = false;             // since the hand of the eviction was here
  bool hit = false;                 // this answer was given before
  bool prefetched = false;

  // Offsets in the message.
  std::span<const std::uint16_t> ttls() const {
    return {reinterpret_cast<const std::uint16_t*>(this + 1), ttl_count};
  }
  bytes message() const {
    return {reinterpret_cast<const std::uint8_t*>(this + 1) + sizeof(std::uint16_t) * ttl_count,
            message_size};
  }
  // The key's name is that of the message's question, lower-cased.
  bool is_for(const query& asked, std::uint64_t its_hash) const {
    return hash == its_hash && name_size == asked.name.size && type == asked.type &&
           bits == key_bits(asked) &&
           std::memcmp(message().data() + header_size, asked.name.data.data(), name_size) == 0;
  }
  std::size_t block_size() const {
    return sizeof(cache_entry) + sizeof(std::uint16_t) * ttl_count + message_size;
  }
};

struct free_entry {
  void operator()(cache_entry* entry) const noexcept { ::operator delete(entry); }
};
using cache_entry_ptr = std::unique_ptr<cache_entry, free_entry>;

// A copy of `message` for this question; --dns-max-ttl is for the first `capped_ttls` of `ttls`.
inline cache_entry_ptr make_entry(const query& asked, std::uint64_t hash, bytes message,
                                  std::span<const std::uint16_t> ttls, std::size_t capped_ttls) {
  const std::size_t places = sizeof(std::uint16_t) * ttls.size();
  void* room = ::operator new(sizeof(cache_entry) + places + message.size());
  cache_entry_ptr made(new (room) cache_entry);
  made->hash = hash;
  made->type = asked.type;
  made->bits = key_bits(asked);
  made->name_size = asked.name.size;
  made->message_size = static_cast<std::uint32_t>(message.size());
  made->ttl_count = static_cast<std::uint16_t>(ttls.size());
  made->capped_ttls = static_cast<std::uint16_t>(capped_ttls);
  auto* behind = reinterpret_cast<std::uint8_t*>(made.get() + 1);
  if (places > 0) std::memcpy(behind, ttls.data(), places);
  std::memcpy(behind + places, message.data(), message.size());
  return made;
}

}  // namespace egress::dns
