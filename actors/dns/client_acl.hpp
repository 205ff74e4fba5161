#pragma once
// Who may ask (--dns-allow), and who is answered with a gateway's address (spec.dnsClients): lists of CIDRs.
// Pure.

#include <string>
#include <vector>

#include "actors/dns/message.hpp"
#include "runtime/base/result.hpp"

namespace egress::dns {

address_bytes map_v4(const std::uint8_t* four_bytes);

class client_acl {
 public:
  // Empty `cidrs` (or a bare address as an entry) are fine: empty means loopback, link-local and private
  // ranges. The error names the entry that is none.
  static result<client_acl> parse(const std::vector<std::string>& cidrs);

  bool allows(const address_bytes& client) const;

  // As the hijack table holds them: of each network the prefix length (of 128 bits), then its 16 bytes.
  std::vector<std::uint8_t> packed() const;

 private:
  struct network {
    address_bytes base{};
    unsigned bits = 0;  // of the 128
  };
  std::vector<network> networks_;
};

// Whether these bytes, of a file, are networks packed as above.
bool are_packed_networks(bytes maybe);

// Whether one of the networks, packed as above, has the client.
bool any_has(bytes packed_networks, const address_bytes& client);

}  // namespace egress::dns
