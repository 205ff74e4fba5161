#pragma once
// Whether queries that we send to an upstream come back to us: names that nobody else asks for, and which of
// them have arrived at a socket of ours. One for all packet loops of the process; may be used from any
// thread.

#include <atomic>
#include <mutex>
#include <string>
#include <unordered_map>

#include "actors/dns/query.hpp"

namespace egress::dns {

class loop_watch {
 public:
  // `process` is random: it tells our names from others', those of other replicas included.
  explicit loop_watch(std::uint64_t process);

  // A name to ask for, below `domain`, made with `random`. It is watched until it is forgotten. The root's
  // name when the domain is too long to have one below it: nothing is watched then.
  wire_name begin(const wire_name& domain, std::uint64_t random);
  void forget(const wire_name& name);
  bool arrived(const wire_name& name) const;
  // Grows when a name has arrived for the first time: the names need to be looked at only then.
  std::uint64_t arrivals() const { return arrivals_.load(std::memory_order_acquire); }

  // For every query, before anything else is done with it: one of our own is noted, and refused. Without a
  // lock for all others.
  reaction judge(reaction judged, const query& asked) {
    if (judged != reaction::serve || asked.type != rr::hinfo || !is_ours(asked.name)) return judged;
    note(asked.name);
    return reaction::refused;
  }

 private:
  bool is_ours(const wire_name& name) const;
  void note(const wire_name& name);

  std::array<std::uint8_t, 17> label_;  // the second one of all names, with its length
  mutable std::mutex mutex_;
  std::unordered_map<std::string, bool> names_;  // and whether they have arrived
  std::atomic<std::uint64_t> arrivals_{0};
};

}  // namespace egress::dns
