#pragma once
// The questions that a forwarder has under way. Their memory is used again and again: with some hundred in
// flight malloc was a quarter of what a forwarded query cost. Used on one thread only.

#include <optional>
#include <unordered_set>

#include "actors/dns/cache_entry.hpp"
#include "actors/dns/io/upstream_group.hpp"
#include "actors/dns/timer_wheel.hpp"

namespace egress::dns {

// `timed`: the patience with its last attempt; those before it are late by then, too.
struct pending_question : timed {
  using done = std::function<void(bytes reply)>;
  static constexpr std::size_t first_waiters = 4;

  struct attempt {
    std::size_t upstream = 0;
    std::chrono::steady_clock::time_point began;
    std::shared_ptr<exchange> io;
    bool late = false;  // its patience is over; its reply is as good as another's
  };

  query asked;  // without its packet
  query plain;  // the same without_edns, once plain_asked
  bool plain_asked = false;
  std::optional<std::size_t> no_edns_at;  // an upstream that may not know EDNS
  std::uint64_t hash = 0;
  std::size_t part = 0;  // of the namespace, as the forwarder numbers them
  std::shared_ptr<upstream_group> group;
  std::chrono::steady_clock::time_point deadline;
  std::vector<done> waiters;
  std::vector<attempt> attempts;   // under way
  std::vector<std::size_t> tried;  // upstreams, in order
  std::vector<std::uint8_t> poor;  // a failure that was said, for when nobody knows better
};

class pending_questions {
 public:
  bool empty() const { return all_.empty(); }
  auto begin() const { return all_.begin(); }
  auto end() const { return all_.end(); }

  // Who asks the same, or null.
  pending_question* find(const query& asked) const;
  // There must be no such question yet.
  pending_question& add(const query& asked);
  // Nobody finds it any more; it stays what it is until it is given back.
  void remove(pending_question& one) { all_.erase(&one); }
  void give_back(pending_question& one);

 private:
  struct key {
    const query& asked;
    std::uint64_t hash;
  };
  struct hash_of {
    using is_transparent = void;
    std::size_t operator()(const pending_question* one) const { return one->hash; }
    std::size_t operator()(const key& one) const { return one.hash; }
  };
  struct same {
    using is_transparent = void;
    bool operator()(const pending_question* a, const pending_question* b) const { return a == b; }
    bool operator()(const key& a, const pending_question* b) const;
    bool operator()(const pending_question* a, const key& b) const { return (*this)(b, a); }
  };

  cache_seed seed_ = random_seed();
  std::unordered_set<pending_question*, hash_of, same> all_;
  std::vector<std::unique_ptr<pending_question>> owned_;
  std::vector<pending_question*> spare_;
};

}  // namespace egress::dns
