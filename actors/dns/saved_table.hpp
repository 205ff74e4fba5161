#pragma once
// The hijack table as the bytes of a file (--dns-snapshot): a restart answers from it before the API server
// has said anything, or while there is none.
//
//   a line of text with the format's version, the size of the entries (8 bytes), their SHA-256, the entries
//   an entry: kind and wildcard, address counts, size of the name; of the extra part and of the owner (2
//   bytes each); then name, IPv4 addresses, IPv6 addresses, extra part (clients, ports or target, by the
//   kind), owner
//
// Numbers are big-endian. What is read is checked whatever the checksum says. Pure.

#include <memory>
#include <optional>
#include <vector>

#include "actors/dns/hijack_table.hpp"
#include "runtime/base/result.hpp"

namespace egress::dns {

std::vector<std::uint8_t> encode_table(const hijack_table& table);

// Without hijacked names in `cluster`, the cluster's domain. The error says what is wrong with the file, in
// one line without its name.
result<std::shared_ptr<const hijack_table>> decode_table(bytes file,
                                                         std::optional<wire_name> cluster = std::nullopt);

}  // namespace egress::dns
