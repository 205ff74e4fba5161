#include "actors/dns/hijack_table.hpp"

#include <algorithm>
#include <tuple>

namespace egress::dns {
namespace {

std::size_t label_count(bytes name) {
  std::size_t labels = 0;
  for (std::size_t at = 0; name[at] != 0; at += name[at] + 1u) ++labels;
  return labels;
}

}  // namespace

hijack_table::hijack_table(record_arena records, const std::vector<table_claim>& claims,
                           std::optional<wire_name> cluster)
    : records_(std::move(records)), slots_(claims.size() * 2 + 1), cluster_(std::move(cluster)) {
  // While claims compete a slot has the number of one, to see its owner's age; then the record's place.
  for (std::uint32_t i = 0; i < claims.size(); ++i) insert(claims, i);
  for (auto& taken : slots_) {
    if (taken.place == 0) continue;
    const auto winner = claims[taken.place - 1].record;
    count(entry_at(winner));
    taken.place = winner + 1;
  }
}

void hijack_table::insert(const std::vector<table_claim>& claims, std::uint32_t number) {
  const auto& mine = claims[number];
  const auto entry = entry_at(mine.record);
  const auto hash = hash_name(entry.name, entry.wildcard);
  for (std::size_t at = home(hash);; at = after(at)) {
    auto& here = slots_[at];
    if (here.place == 0) {
      here = {hash, number + 1};
      return;
    }
    if (here.hash != hash) continue;
    const auto& theirs = claims[here.place - 1];
    if (!record_has_name(records_, theirs.record, entry.name, entry.wildcard)) continue;
    const auto rival = entry_at(theirs.record);
    if (std::tie(entry.kind, mine.created, entry.owner) < std::tie(rival.kind, theirs.created, rival.owner))
      here.place = number + 1;
    return;
  }
}

void hijack_table::count(const table_entry& winner) {
  ++entries_;
  if (winner.kind == entry_kind::hijacked) ++hijacked_;
  if (winner.kind == entry_kind::in_cluster) ++services_;
  if (winner.wildcard) wildcard_depths_.set(label_count(winner.name));
}

std::optional<table_entry> hijack_table::find_only(bytes name, bool wildcard) const {
  const std::uint32_t hash = hash_name(name, wildcard);
  for (std::size_t at = home(hash); slots_[at].place != 0; at = after(at))
    if (slots_[at].hash == hash && record_has_name(records_, slots_[at].place - 1, name, wildcard))
      return read_record(records_, slots_[at].place - 1);
  return std::nullopt;
}

std::uint32_t hijack_table::fetch_slot(const wire_name& name) const {
  const std::uint32_t hash = hash_name(name.view(), false);
  __builtin_prefetch(&slots_[home(hash)]);
  return hash;
}

void hijack_table::fetch_record(std::uint32_t hash) const {
  // A record is seldom longer than a line, and seldom in one alone.
  constexpr std::size_t cache_line = 64;
  std::size_t at = home(hash);
  while (slots_[at].place != 0 && slots_[at].hash != hash) at = after(at);
  if (slots_[at].place == 0) return;
  const std::size_t place = slots_[at].place - 1;
  __builtin_prefetch(records_.data() + place);
  __builtin_prefetch(records_.data() + std::min(place + cache_line, records_.size() - 1));
}

std::optional<table_entry> hijack_table::find(const wire_name& name) const {
  if (auto exact = find_only(name.view(), false)) return exact;
  if (wildcard_depths_.none() || (cluster_ && is_at_or_below(name, *cluster_))) return std::nullopt;
  bytes suffix = name.view();
  for (std::size_t labels = name.labels; labels > 0;) {
    suffix = suffix.subspan(suffix[0] + 1u);
    if (--labels < wildcard_depths_.size() && wildcard_depths_.test(labels))
      if (auto found = find_only(suffix, true)) return found;
  }
  return std::nullopt;
}

std::optional<table_entry> hijack_table::find_parent(const wire_name& name) const {
  if (name.is_root()) return std::nullopt;
  return find_only(name.view().subspan(name.data[0] + 1u), false);
}

}  // namespace egress::dns
