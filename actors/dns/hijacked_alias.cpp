#include "actors/dns/hijacked_alias.hpp"

#include "actors/dns/record_walk.hpp"

namespace egress::dns {
namespace {

bool is_hijacked(const wire_name& name, const hijack_table& table) {
  const auto entry = table.find(name);
  return entry && entry->kind == entry_kind::hijacked;
}

}  // namespace

bool has_hijacked_alias(const query& asked, bytes reply, const hijack_table& table) {
  std::size_t at = header_size + asked.name.size + 4u;
  for (std::size_t left = load16(&reply[6]); left > 0; --left) {
    const auto next = next_record(reply, at);
    if (!next) return false;
    wire_name target;
    if (next->type != rr::cname || !expand_name(reply, next->data(), target)) continue;
    if (is_hijacked(target, table)) return !is_hijacked(asked.name, table);
  }
  return false;
}

}  // namespace egress::dns
