#pragma once
// How an entry of the hijack table lies in memory: one run of bytes, so that a lookup touches the cache lines
// of its slot and of its record, and nothing is allocated for each name.
//
//   kind and wildcard, address counts, size of the name, size of the owner (2 bytes)
//   of a reverse name: where the record of its target is (4 bytes)
//   name, IPv4 addresses, IPv6 addresses, owner
//   (only of a hijacked name: others are called like their Service, which is the first label)
//   where there are any: the size (2 bytes) and bytes of who is answered with it, or of its ports
//
// Pure.

#include <array>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

#include "actors/dns/message.hpp"
#include "actors/dns/wire.hpp"

namespace egress::dns {

enum class entry_kind : std::uint8_t {
  hijacked,    // an ExternalService's dnsName
  in_cluster,  // NAME.NAMESPACE.svc.ZONE of a gateway's Service
  reverse,     // the in-addr.arpa or ip6.arpa name of a ClusterIP; `target` is the in-cluster name
};

// A Service has two ClusterIPs at most; with this bound every hijacked answer fits 512 bytes.
inline constexpr std::size_t max_addresses = 4;

// Addresses of `Size` bytes, one behind the other.
template <std::size_t Size>
class address_list {
 public:
  using address = std::array<std::uint8_t, Size>;

  address_list() = default;
  explicit address_list(bytes packed) : packed_(packed) {}

  bool empty() const { return packed_.empty(); }
  std::size_t size() const { return packed_.size() / Size; }
  bytes packed() const { return packed_; }
  // `i` must be below size().
  address at(std::size_t i) const {
    address copy;
    std::memcpy(copy.data(), packed_.subspan(i * Size, Size).data(), Size);
    return copy;
  }

 private:
  bytes packed_;
};

// An entry as it is read: views, valid as long as what they were read from.
struct table_entry {
  entry_kind kind = entry_kind::hijacked;
  bool wildcard = false;  // `name` is the suffix behind "*."
  bytes name;
  std::string_view owner;  // the ExternalService's name
  address_list<4> v4;      // at most max_addresses
  address_list<16> v6;     // at most max_addresses
  bytes extra;             // read it as one of these, by the kind

  bytes clients() const { return extra; }  // hijacked: who sees it (client_acl::packed); empty: everybody
  bytes ports() const { return extra; }    // in_cluster: packed_port by packed_port
  bytes target() const { return extra; }   // reverse: in wire form
};

// A named port of a Service: 't' or 'u', and its number.
inline constexpr std::size_t packed_port = 3;

using record_arena = std::vector<std::uint8_t>;
// Where in the arena a record begins.
using record_place = std::uint32_t;

// The parts of a record before its name; the bits of its first byte.
inline constexpr std::size_t record_head = 5, record_target = 4;
inline constexpr std::uint8_t record_kind = 3, record_wildcard = 4, record_extra = 8;

// Where in the record its name begins, by its first byte.
inline std::size_t record_name(std::uint8_t tag) {
  const bool reverse = (tag & record_kind) == static_cast<std::uint8_t>(entry_kind::reverse);
  return record_head + (reverse ? record_target : 0);
}

// Of a name, told apart for exact names and wildcards. Eight bytes at a time, multiply and fold. Only names
// of our own objects are ever inserted, so a client cannot choose colliding ones.
inline std::uint32_t hash_name(bytes name, bool wildcard) {
  std::uint64_t state = wildcard ? 0x9e3779b97f4a7c15u : 0xa0761d6478bd642fu;
  const auto mix = [&state](std::uint64_t word) {
    const auto wide = static_cast<unsigned __int128>(state ^ word) * 0xe7037ed1a0b428dbu;
    state = static_cast<std::uint64_t>(wide) ^ static_cast<std::uint64_t>(wide >> 64);
  };
  const std::size_t size = name.size();
  const auto word_at = [&name](std::size_t at) {
    std::uint64_t word;
    std::memcpy(&word, name.data() + at, sizeof word);
    return word;
  };
  for (std::size_t at = 0; at + 8 < size; at += 8) mix(word_at(at));
  // The last eight, some of which may have been mixed before: a copy of just the others is a call of memcpy.
  std::uint64_t tail = 0;
  if (size >= 8)
    tail = word_at(size - 8);
  else
    for (const std::uint8_t byte : name) tail = tail << 8 | byte;
  mix(tail ^ static_cast<std::uint64_t>(size) << 56);
  return static_cast<std::uint32_t>(state ^ state >> 32);
}

// Appends what `entry` says, and for a reverse name where its target's record is. The views must not point
// into `to`. Owner, clients and ports must each be shorter than 64 KiB.
record_place write_record(record_arena& to, const table_entry& entry, record_place target = 0);

inline table_entry read_record(const record_arena& from, record_place place) {
  const bytes record = bytes(from).subspan(place);
  table_entry entry;
  entry.kind = static_cast<entry_kind>(record[0] & record_kind);
  entry.wildcard = (record[0] & record_wildcard) != 0;
  std::size_t at = record_name(record[0]);
  const auto next = [&](std::size_t size) {
    const auto part = record.subspan(at, size);
    at += size;
    return part;
  };
  entry.name = next(record[2]);
  entry.v4 = address_list<4>(next((record[1] & 15u) * 4u));
  entry.v6 = address_list<16>(next((record[1] >> 4) * 16u));
  const bytes owner = next(load16(&record[3]));
  entry.owner = {reinterpret_cast<const char*>(owner.data()), owner.size()};
  if ((record[0] & record_extra) != 0) entry.extra = record.subspan(at + 2, load16(&record[at]));
  if (entry.kind == entry_kind::hijacked) return entry;
  if (entry.kind == entry_kind::in_cluster) {
    entry.owner = {reinterpret_cast<const char*>(entry.name.data()) + 1, entry.name[0]};
  } else {
    const auto of = read_record(from, load32(&record[record_head]));
    entry.owner = of.owner;
    entry.extra = of.name;
  }
  return entry;
}

// Whether the record at this place is of this name: reads no more than that needs.
inline bool record_has_name(const record_arena& from, record_place place, bytes name, bool wildcard) {
  const std::uint8_t* record = from.data() + place;
  return record[2] == name.size() && ((record[0] & record_wildcard) != 0) == wildcard &&
         std::memcmp(record + record_name(record[0]), name.data(), name.size()) == 0;
}

}  // namespace egress::dns
