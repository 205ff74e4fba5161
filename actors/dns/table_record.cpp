#include "actors/dns/table_record.hpp"

#include <algorithm>
#include <cassert>

#include "actors/dns/wire.hpp"

namespace egress::dns {

record_place write_record(record_arena& to, const table_entry& entry, record_place target) {
  assert(entry.name.size() <= 255 && entry.owner.size() <= 0xffff);
  assert(entry.v4.size() <= max_addresses && entry.v6.size() <= max_addresses);
  const auto place = static_cast<record_place>(to.size());
  const bytes extra = entry.kind == entry_kind::reverse ? bytes{} : entry.extra;
  assert(extra.size() <= 0xffff);
  const auto tag =
      static_cast<std::uint8_t>(static_cast<unsigned>(entry.kind) | (entry.wildcard ? record_wildcard : 0u) |
                                (extra.empty() ? 0u : record_extra));
  std::uint8_t head[record_head + record_target] = {
      tag, static_cast<std::uint8_t>(entry.v4.size() | entry.v6.size() << 4),
      static_cast<std::uint8_t>(entry.name.size())};
  const bool reverse = entry.kind == entry_kind::reverse;
  const bool owned = entry.kind == entry_kind::hijacked;
  store16(&head[3], owned ? entry.owner.size() : 0);
  if (reverse) store32(&head[record_head], target);
  const bytes owner(reinterpret_cast<const std::uint8_t*>(entry.owner.data()),
                    owned ? entry.owner.size() : 0);
  std::array<std::uint8_t, 2> extra_size;
  store16(extra_size.data(), extra.size());
  const bytes parts[] = {bytes(head).first(record_name(tag)),
                         entry.name,
                         entry.v4.packed(),
                         entry.v6.packed(),
                         owner,
                         bytes(extra_size).first(extra.empty() ? 0 : 2),
                         extra};
  std::size_t size = 0;
  for (const auto part : parts) size += part.size();
  to.resize(place + size);
  auto at = to.begin() + place;
  for (const auto part : parts) at = std::ranges::copy(part, at).out;
  return place;
}

}  // namespace egress::dns
