#include "runtime/devserver/ip_pool.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>

namespace egress::dev {
namespace {

constexpr int most_host_bits = 24;  // what anyone needs; keeps offsets in 32 bits

using bytes = std::array<std::uint8_t, 16>;

std::uint32_t low_word(const bytes& address, bool v6) {
  std::uint32_t word = 0;
  for (std::size_t i = v6 ? 12 : 0; i < (v6 ? 16U : 4U); ++i) word = word << 8U | address[i];
  return word;
}

void set_low_word(bytes& address, bool v6, std::uint32_t word) {
  for (std::size_t i = v6 ? 16 : 4, n = 0; n < 4; ++n, word >>= 8U)
    address[--i] = static_cast<std::uint8_t>(word);
}

}  // namespace

result<ip_pool> ip_pool::parse(const std::string& cidr) {
  const auto slash = cidr.find('/');
  const auto address = cidr.substr(0, slash);
  ip_pool made;
  made.v6_ = address.find(':') != std::string::npos;
  int length = -1;
  if (slash != std::string::npos) std::from_chars(cidr.data() + slash + 1, cidr.data() + cidr.size(), length);
  const int host_bits = (made.v6_ ? 128 : 32) - length;
  if (inet_pton(made.v6_ ? AF_INET6 : AF_INET, address.c_str(), made.base_.data()) != 1 || length < 0 ||
      host_bits < 2)
    return fail("\"{}\" is no range of addresses for Services; say something like 127.96.0.0/12", cidr);
  made.size_ = 1U << static_cast<unsigned>(std::min(host_bits, most_host_bits));
  set_low_word(made.base_, made.v6_, low_word(made.base_, made.v6_) & ~(made.size_ - 1));
  return made;
}

std::optional<std::uint32_t> ip_pool::offset_of(const std::string& address) const {
  bytes parsed{};
  if (inet_pton(v6_ ? AF_INET6 : AF_INET, address.c_str(), parsed.data()) != 1) return std::nullopt;
  const auto offset = low_word(parsed, v6_) - low_word(base_, v6_);
  if (offset == 0 || offset >= size_) return std::nullopt;
  if (v6_ && !std::equal(parsed.begin(), parsed.begin() + 12, base_.begin())) return std::nullopt;
  return offset;
}

std::string ip_pool::text_of(std::uint32_t offset) const {
  auto address = base_;
  set_low_word(address, v6_, low_word(base_, v6_) + offset);
  std::array<char, INET6_ADDRSTRLEN> text{};
  inet_ntop(v6_ ? AF_INET6 : AF_INET, address.data(), text.data(), text.size());
  return text.data();
}

std::optional<std::string> ip_pool::allocate() {
  if (used_.size() + 1 >= size_) return std::nullopt;
  while (next_ == 0 || used_.contains(next_)) next_ = (next_ + 1) % size_;
  used_.insert(next_);
  const auto given = next_;
  // Onwards, so that an address just released is not somebody else's at once.
  next_ = (next_ + 1) % size_;
  return text_of(given);
}

bool ip_pool::take(const std::string& address) {
  const auto offset = offset_of(address);
  return offset && used_.insert(*offset).second;
}

void ip_pool::release(const std::string& address) {
  if (const auto offset = offset_of(address)) used_.erase(*offset);
}

}  // namespace egress::dev
