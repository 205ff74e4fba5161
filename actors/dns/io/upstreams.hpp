#pragma once
// What is known of each upstream: its health, its speed, how busy it is; and which one to ask next. No I/O.

#include <chrono>
#include <optional>
#include <vector>

#include "actors/dns/io/config.hpp"

namespace egress::dns {

class upstreams {
 public:
  upstreams(std::vector<upstream_address> addresses, forwarder_limits limits);

  std::size_t size() const { return all_.size(); }
  const upstream_address& address(std::size_t at) const { return all_[at].address; }

  // The healthy upstream with the fewest queries under way that `tried` does not have; unhealthy ones when
  // there is no other, and all over again when all were tried. Nothing when there are no upstreams at all.
  std::optional<std::size_t> choose(const std::vector<std::size_t>& tried) const;
  // How long an answer of this upstream is waited for: 3 × its smoothed round trip, within the limits.
  std::chrono::milliseconds patience(std::size_t at) const;

  void began(std::size_t at) { ++all_[at].outstanding; }
  // Any reply is healthy; two failures in a row are not.
  void replied(std::size_t at, std::chrono::nanoseconds took);
  void failed(std::size_t at);
  void ended(std::size_t at) { --all_[at].outstanding; }
  bool healthy(std::size_t at) const { return all_[at].failures < failures_allowed; }

 private:
  static constexpr unsigned failures_allowed = 2;
  struct one {
    upstream_address address;
    unsigned failures = 0;
    std::size_t outstanding = 0;
    std::chrono::nanoseconds smoothed{std::chrono::milliseconds{100}};
  };
  std::vector<one> all_;
  forwarder_limits limits_;
};

}  // namespace egress::dns
