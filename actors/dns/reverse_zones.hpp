#pragma once
// Reverse zones of private and special addresses (RFC 6303, 7793): nobody outside can answer for them. With
// them resolver.arpa (RFC 9462), as it is told in the same way. Pure.

#include "actors/dns/name.hpp"

namespace egress::dns {

// A name in a private reverse zone.
struct private_reverse {
  std::size_t zone = 0;  // where in the name it begins: "10.in-addr.arpa" in "3.2.1.10.in-addr.arpa"
  // Whether it exists although it has no data: the zone itself, and names that those of whole addresses may
  // lie below. To deny such a name would deny all below it (RFC 8020).
  bool exists = false;
};

// Nothing for other names. Cheap for those that do not end in arpa.
std::optional<private_reverse> find_private_reverse(const wire_name& name);

}  // namespace egress::dns
