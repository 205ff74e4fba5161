#pragma once
// The addresses that Services get. Pure.

#include <array>
#include <cstdint>
#include <optional>
#include <set>
#include <string>

#include "runtime/base/result.hpp"

namespace egress::dev {

class ip_pool {
 public:
  // "127.96.0.0/12" or "fd00:10:96::/112". The network's own address is never given out.
  static result<ip_pool> parse(const std::string& cidr);

  bool v6() const { return v6_; }
  bool contains(const std::string& address) const { return offset_of(address).has_value(); }
  // A free address; nothing when all are taken.
  std::optional<std::string> allocate();
  // False when it is outside, or taken.
  bool take(const std::string& address);
  void release(const std::string& address);
  std::size_t used() const { return used_.size(); }

 private:
  std::optional<std::uint32_t> offset_of(const std::string& address) const;
  std::string text_of(std::uint32_t offset) const;

  bool v6_ = false;
  std::array<std::uint8_t, 16> base_{};  // the first 4 for IPv4
  std::uint32_t size_ = 0;               // how many there are, the network's own included
  std::uint32_t next_ = 1;
  std::set<std::uint32_t> used_;
};

}  // namespace egress::dev
