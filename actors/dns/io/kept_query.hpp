#pragma once
// A query that outlives its packet: of that its header, question and client cookie are kept.

#include <memory>
#include <vector>

#include "actors/dns/query.hpp"

namespace egress::dns {

class kept_query {
 public:
  kept_query() = default;
  explicit kept_query(const query& asked) { keep(asked); }
  kept_query(const kept_query&) = delete;
  kept_query& operator=(const kept_query&) = delete;
  // In place of the one that it has.
  void keep(const query& asked);
  const query& get() const { return query_; }

 private:
  std::vector<std::uint8_t> packet_;
  query query_;
};
using kept_query_ptr = std::shared_ptr<const kept_query>;

}  // namespace egress::dns
