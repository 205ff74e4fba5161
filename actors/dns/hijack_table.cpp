#include "actors/dns/hijack_table.hpp"

#include <bit>
#include <cstring>

namespace egress::dns {
namespace {

// Eight bytes at a time, multiply and fold. Only names of our own objects are ever inserted, so a client
// cannot choose colliding ones.
std::uint32_t hash_name(bytes name, bool wildcard) {
  std::uint64_t state = wildcard ? 0x9e3779b97f4a7c15u : 0xa0761d6478bd642fu;
  const auto mix = [&state](std::uint64_t word) {
    const auto wide = static_cast<unsigned __int128>(state ^ word) * 0xe7037ed1a0b428dbu;
    state = static_cast<std::uint64_t>(wide) ^ static_cast<std::uint64_t>(wide >> 64);
  };
  const std::uint8_t* at = name.data();
  std::size_t left = name.size();
  for (; left >= 8; left -= 8, at += 8) {
    std::uint64_t word;
    std::memcpy(&word, at, 8);
    mix(word);
  }
  std::uint64_t tail = 0;
  if (left > 0) std::memcpy(&tail, at, left);
  mix(tail ^ static_cast<std::uint64_t>(name.size()) << 56);
  return static_cast<std::uint32_t>(state ^ state >> 32);
}

}  // namespace

hijack_table::hijack_table(std::vector<table_entry> entries)
    : entries_(std::move(entries)), slots_(std::bit_ceil(entries_.size() * 2 + 1)) {
  for (std::uint32_t i = 0; i < entries_.size(); ++i) {
    insert(i);
    if (entries_[i].wildcard) wildcard_depths_.set(entries_[i].name.labels);
    if (entries_[i].kind == entry_kind::hijacked) ++hijacked_;
  }
}

void hijack_table::insert(std::uint32_t position) {
  const auto& entry = entries_[position];
  const std::uint32_t hash = hash_name(entry.name.view(), entry.wildcard);
  std::size_t at = hash & (slots_.size() - 1);
  while (slots_[at].entry != 0) at = (at + 1) & (slots_.size() - 1);
  slots_[at] = {hash, position + 1};
}

const table_entry* hijack_table::find(bytes name, bool wildcard) const {
  const std::uint32_t hash = hash_name(name, wildcard);
  for (std::size_t at = hash & (slots_.size() - 1); slots_[at].entry != 0;
       at = (at + 1) & (slots_.size() - 1)) {
    if (slots_[at].hash != hash) continue;
    const auto& entry = entries_[slots_[at].entry - 1];
    if (entry.wildcard == wildcard && entry.name.size == name.size() &&
        std::memcmp(entry.name.data.data(), name.data(), name.size()) == 0)
      return &entry;
  }
  return nullptr;
}

const table_entry* hijack_table::find(const wire_name& name) const {
  if (const auto* exact = find(name.view(), false)) return exact;
  if (wildcard_depths_.none()) return nullptr;
  bytes suffix = name.view();
  for (std::size_t labels = name.labels; labels > 0;) {
    suffix = suffix.subspan(suffix[0] + 1u);
    if (--labels < wildcard_depths_.size() && wildcard_depths_.test(labels))
      if (const auto* found = find(suffix, true)) return found;
  }
  return nullptr;
}

const table_entry* hijack_table::find_parent(const wire_name& name) const {
  if (name.is_root()) return nullptr;
  return find(name.view().subspan(name.data[0] + 1u), false);
}

}  // namespace egress::dns
