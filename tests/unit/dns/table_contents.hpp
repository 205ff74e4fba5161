#pragma once
// All that a hijack table says, and a table that has some of everything.

#include <algorithm>

#include "tests/unit/dns/support.hpp"

namespace egress::dns::test {

inline std::string hex(bytes data) {
  std::string text;
  for (const auto byte : data) text += fmt::format("{:02x}", byte);
  return text;
}

// An entry a line, in an order of its own.
inline std::vector<std::string> contents(const hijack_table& table) {
  std::vector<std::string> all;
  table.for_each([&](const table_entry& entry) {
    const auto addresses = hex(entry.v4.packed()) + '/' + hex(entry.v6.packed());
    all.push_back(fmt::format("{} {} {} {} {} {}", static_cast<int>(entry.kind), entry.wildcard,
                              to_text(entry.name), entry.owner, addresses, hex(entry.extra)));
  });
  std::ranges::sort(all);
  return all;
}

// Both families, a wildcard, clients and ports.
inline std::shared_ptr<const hijack_table> full_table() {
  kube::external_service_spec spec;
  spec.ports = {{443, "TCP"}, {53, "UDP"}};
  spec.dns_clients = {"10.1.0.0/16", "fd01::/16"};
  return build({service("ex", "example.com", {"10.0.0.1", "fd00::1"}),
                service("view", "view.example.com", {"10.0.0.2"}),
                service("wild", "*.wild.example.com", {"fd00::3"})},
               {external("ex"), external("view", true, 1, false, spec), external("wild")})
      .table;
}

}  // namespace egress::dns::test
