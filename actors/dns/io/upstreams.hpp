#pragma once
// What is known of each upstream of a group: its health, its speed, how busy it is, whether it leads back to
// us; and which one to ask next. No I/O.

#include <chrono>
#include <optional>
#include <vector>

#include "actors/dns/io/config.hpp"

namespace egress::dns {

// Whether an upstream sends our queries back to us. Only a clear one is asked.
enum class loop_state : std::uint8_t { unchecked, clear, looped };

class upstreams {
 public:
  upstreams(std::size_t count, upstream_policy policy, forwarder_limits limits,
            loop_state begin = loop_state::clear)
      : all_(count, {.loop = begin}), policy_(policy), limits_(limits) {}

  std::size_t size() const { return all_.size(); }

  // Of those that `tried` has least often the healthy ones, unhealthy ones when there is no other; among them
  // the policy decides (`random` serves the policy of that name). Nothing when no upstream is clear.
  std::optional<std::size_t> choose(const std::vector<std::size_t>& tried, std::uint32_t random);
  // How long an answer of this upstream is waited for: 3 × its smoothed round trip, within the limits.
  std::chrono::milliseconds patience(std::size_t at) const;

  void began(std::size_t at) { ++all_[at].outstanding; }
  // Any reply is healthy; two failures in a row are not.
  void replied(std::size_t at, std::chrono::nanoseconds took);
  void failed(std::size_t at);
  void ended(std::size_t at) { --all_[at].outstanding; }
  bool healthy(std::size_t at) const { return all_[at].failures < failures_allowed; }
  bool any_healthy() const;  // of those that may be asked
  bool all_healthy() const;

  loop_state loop(std::size_t at) const { return all_[at].loop; }
  void set_loop(std::size_t at, loop_state now) { all_[at].loop = now; }
  // How many are in this state.
  std::size_t count(loop_state of) const;

 private:
  static constexpr unsigned failures_allowed = 2;
  struct one {
    loop_state loop = loop_state::clear;
    unsigned failures = 0;
    std::size_t outstanding = 0;
    std::chrono::nanoseconds smoothed{std::chrono::milliseconds{100}};
  };
  std::vector<std::size_t> best_class(const std::vector<std::size_t>& tried) const;

  std::vector<one> all_;
  upstream_policy policy_;
  forwarder_limits limits_;
  std::size_t turn_ = 0;  // round_robin: whose it is
};

}  // namespace egress::dns
