#include "actors/dns/client_acl.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace egress::dns {
namespace {

// RFC 1122, 3927, 1918, 6598; 4291, 4193.
const std::vector<std::string> defaults{"127.0.0.0/8",   "169.254.0.0/16", "10.0.0.0/8",
                                        "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10",
                                        "::1/128",       "fe80::/10",      "fc00::/7"};

constexpr std::size_t packed_size = 1 + sizeof(address_bytes);
constexpr unsigned mapped_bits = 96;

bool is_mapped(const address_bytes& address) {
  return map_v4(&address[12]) == address;
}

// A shorter prefix than the one that IPv4 addresses are mapped to was written as an IPv6 one.
bool inside(const address_bytes& address, const std::uint8_t* base, unsigned bits) {
  if (bits < mapped_bits && is_mapped(address)) return false;
  const std::size_t whole = bits / 8, rest = bits % 8;
  if (std::memcmp(address.data(), base, whole) != 0) return false;
  return rest == 0 || ((address[whole] ^ base[whole]) >> (8 - rest)) == 0;
}

}  // namespace

address_bytes map_v4(const std::uint8_t* four_bytes) {
  address_bytes mapped{};
  mapped[10] = mapped[11] = 0xff;
  std::memcpy(&mapped[12], four_bytes, 4);
  return mapped;
}

result<client_acl> client_acl::parse(const std::vector<std::string>& cidrs) {
  client_acl list;
  for (const auto& text : cidrs.empty() ? defaults : cidrs) {
    const auto slash = text.find('/');
    const std::string host = text.substr(0, slash);
    network next;
    std::array<std::uint8_t, 4> v4{};
    const bool is_v4 = inet_pton(AF_INET, host.c_str(), v4.data()) == 1;
    if (is_v4)
      next.base = map_v4(v4.data());
    else if (inet_pton(AF_INET6, host.c_str(), next.base.data()) != 1)
      return fail("\"{}\" is no network: write it as 10.0.0.0/8 or fd00::/8", text);
    const unsigned most = is_v4 ? 32 : 128;
    unsigned bits = most;
    if (slash != std::string::npos) {
      const char* end = text.data() + text.size();
      const auto [stopped, problem] = std::from_chars(text.data() + slash + 1, end, bits);
      if (problem != std::errc{} || stopped != end || bits > most)
        return fail("\"{}\": the prefix length must be 0 to {}", text, most);
    }
    next.bits = bits + 128 - most;
    list.networks_.push_back(next);
  }
  return list;
}

bool client_acl::allows(const address_bytes& client) const {
  return std::ranges::any_of(networks_,
                             [&](const network& n) { return inside(client, n.base.data(), n.bits); });
}

std::vector<std::uint8_t> client_acl::packed() const {
  std::vector<std::uint8_t> all;
  all.reserve(networks_.size() * packed_size);
  for (const auto& [base, bits] : networks_) {
    all.push_back(static_cast<std::uint8_t>(bits));
    all.insert(all.end(), base.begin(), base.end());
  }
  return all;
}

bool are_packed_networks(bytes maybe) {
  for (; maybe.size() >= packed_size; maybe = maybe.subspan(packed_size))
    if (maybe[0] > 8 * sizeof(address_bytes)) return false;
  return maybe.empty();
}

bool any_has(bytes packed_networks, const address_bytes& client) {
  for (; packed_networks.size() >= packed_size; packed_networks = packed_networks.subspan(packed_size))
    if (inside(client, packed_networks.data() + 1, packed_networks[0])) return true;
  return false;
}

}  // namespace egress::dns
