#pragma once
// Who may ask (--dns-allow): a list of CIDRs. Pure.

#include <array>
#include <string>
#include <vector>

#include "actors/dns/message.hpp"
#include "runtime/base/result.hpp"

namespace egress::dns {

// An address as 16 bytes; IPv4 in its mapped form (::ffff:a.b.c.d), so that both families compare alike.
using address_bytes = std::array<std::uint8_t, 16>;
address_bytes map_v4(const std::uint8_t* four_bytes);

class client_acl {
 public:
  // Empty `cidrs` (or a bare address as an entry) are fine: empty means loopback, link-local and private
  // ranges. The error names the entry that is none.
  static result<client_acl> parse(const std::vector<std::string>& cidrs);

  bool allows(const address_bytes& client) const;

 private:
  struct network {
    address_bytes base{};
    unsigned bits = 0;  // of the 128
  };
  std::vector<network> networks_;
};

}  // namespace egress::dns
