#pragma once
// Which domain of a list a name belongs to: the longest that is the name itself or a suffix of it, by whole
// labels. A lookup allocates nothing, costs a bit test a label, and may run on any thread. Pure.

#include <bitset>
#include <optional>
#include <vector>

#include "actors/dns/name.hpp"

namespace egress::dns {

class domain_routes {
 public:
  domain_routes() = default;
  // Of two equal domains the first wins.
  explicit domain_routes(const std::vector<wire_name>& domains);

  // The position in the list; nothing when the name is below none.
  std::optional<std::size_t> find(const wire_name& name) const;

 private:
  struct route {
    wire_name domain;
    std::size_t position = 0;
  };
  std::vector<route> routes_;             // sorted by the bytes of their names
  std::bitset<max_name_size + 1> sizes_;  // of all domains, in bytes: only these are looked up
};

}  // namespace egress::dns
