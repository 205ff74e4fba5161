#pragma once
// Reverse zones of private and special addresses (RFC 6303, 7793): nobody outside can answer for them. Pure.

#include "actors/dns/name.hpp"

namespace egress::dns {

// Where in the name its private reverse zone begins ("10.in-addr.arpa" in "3.2.1.10.in-addr.arpa"); nothing
// for other names. Cheap for names that do not end in arpa.
std::optional<std::size_t> private_reverse_zone(const wire_name& name);

}  // namespace egress::dns
