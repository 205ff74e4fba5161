#pragma once
// Where a packet loop leaves the queries that the log wants: a ring of a fixed size, without lock or
// allocation. What does not fit is lost, and told so.

#include <atomic>
#include <functional>
#include <vector>

#include "actors/dns/query_log.hpp"

namespace egress::dns {

// One thread puts (the loop), one takes (the log's).
class query_recorder {
 public:
  // `wake` is called by the loop when the ring was empty; it must not block.
  query_recorder(log_sampler sampler, std::size_t room, std::function<void()> wake)
      : sampler_(sampler), ring_(room), wake_(std::move(wake)) {}

  bool wants(rcode code) { return sampler_.wants(code); }

  // False when there is no room.
  bool put(const logged_query& one) {
    const auto put = put_.load(std::memory_order_relaxed);
    if (put - taken_.load(std::memory_order_acquire) == ring_.size()) return false;
    ring_[put % ring_.size()] = one;
    put_.store(put + 1);
    // Sequentially consistent with take(): one of both sees the other.
    if (taken_.load() == put) wake_();
    return true;
  }

  // The oldest; nothing when there is none.
  std::optional<logged_query> take() {
    const auto taken = taken_.load(std::memory_order_relaxed);
    if (put_.load() == taken) return std::nullopt;
    logged_query one = ring_[taken % ring_.size()];
    taken_.store(taken + 1);
    return one;
  }

 private:
  log_sampler sampler_;
  std::vector<logged_query> ring_;
  std::function<void()> wake_;
  alignas(64) std::atomic<std::uint64_t> put_{0};
  alignas(64) std::atomic<std::uint64_t> taken_{0};
};

}  // namespace egress::dns
