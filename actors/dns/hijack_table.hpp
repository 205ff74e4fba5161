#pragma once
// Which names we answer ourselves, and with what. Immutable: built when Services change, shared by all packet
// loops. One open-addressing table of lower-cased wire names; a lookup costs the same with 100 and 100,000
// names but for cache misses, allocates nothing, and may run on any thread. Pure.

#include <bitset>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "actors/dns/name.hpp"
#include "actors/dns/table_record.hpp"
#include "runtime/kube/snapshot.hpp"

namespace egress::dns {

// A record that wants to be in the table. There is one for each name while two tables are in memory, the last
// and the one that is built: no larger than needed.
struct table_claim {
  record_place record = 0;
  std::uint32_t created = 0;  // its owner, seconds since 1970, or what is nearest of those that fit
};

class hijack_table {
 public:
  // Of claims to one name a hijacked name goes before one of ours; then the older owner, then the smaller
  // owner's name; what is left out stays in the arena, unseen.
  // Names in `cluster` are below no wildcard.
  hijack_table(record_arena records, const std::vector<table_claim>& claims,
               std::optional<wire_name> cluster = std::nullopt);

  // The entry of this name itself, else of the longest suffix behind a "*."; nothing when there is neither.
  // What it views lives as long as the table.
  std::optional<table_entry> find(const wire_name& name) const;
  // The exact entry of the name that remains without the first label: for _-labelled names below one.
  std::optional<table_entry> find_parent(const wire_name& name) const;
  // The entry of just this name; with `wildcard`, of "*." and this name.
  std::optional<table_entry> find_only(bytes name, bool wildcard) const;

  // A look-up waits for memory twice, for its slot and for the record. To look up several names, prefetch in
  // two passes: fetch_slot for all of them, then fetch_record with what each returned.
  std::uint32_t fetch_slot(const wire_name& name) const;
  void fetch_record(std::uint32_t hash) const;

  // What the record of a claim says, whether it won its name or not.
  table_entry entry_at(record_place place) const { return read_record(records_, place); }

  // How many names of ExternalServices are hijacked.
  std::size_t size() const { return hijacked_; }
  // How many names there are of any kind.
  std::size_t entry_count() const { return entries_; }
  // How many Services of ours, by their in-cluster names.
  std::size_t service_count() const { return services_; }
  // In bytes, all included.
  std::size_t memory() const { return sizeof *this + records_.capacity() + slots_.capacity() * sizeof(slot); }
  // Of that, what the records are.
  std::size_t record_bytes() const { return records_.size(); }

  // In no particular order.
  template <class Visitor>
  void for_each(Visitor&& visit) const {
    for (const auto& one : slots_)
      if (one.place != 0) visit(read_record(records_, one.place - 1));
  }

 private:
  struct slot {
    std::uint32_t hash = 0;
    record_place place = 0;  // + 1; 0 is free
  };
  // Without a power of two the size of the table follows the number of names closely.
  std::size_t home(std::uint32_t hash) const { return std::uint64_t{hash} * slots_.size() >> 32; }
  std::size_t after(std::size_t at) const { return at + 1 == slots_.size() ? 0 : at + 1; }
  void insert(const std::vector<table_claim>& claims, std::uint32_t claim);
  void count(const table_entry& winner);

  record_arena records_;
  std::vector<slot> slots_;  // at most half full
  std::optional<wire_name> cluster_;
  std::bitset<128> wildcard_depths_;  // how many labels the suffixes have: only those are looked up
  std::size_t hijacked_ = 0, services_ = 0;
  std::size_t entries_ = 0;
};

struct table_options {
  std::string name_space = "egress-operator-system";
  std::string cluster_domain = "cluster.local";
};

struct built_table {
  std::shared_ptr<const hijack_table> table;
  std::vector<std::string> complaints;  // one line for each name that could not be served, and why
};

// The table of what the API server has. An ExternalService with hijackDns that is not being deleted is in it
// once its Service is labelled egress.monzo.com/hijack-dns=true and has a ClusterIP; while that Service is
// missing, relabelled, without an address or says another name than the spec, its entry of `previous` (may be
// null) stays for the name in the spec: else the real address would leak. Of two that claim a name the older
// one wins, then the smaller name. Never throws for bad names or addresses: they are left out and complained
// about. spec.dnsClients that cannot be read leave the last list, else everybody.
built_table build_hijack_table(const kube::snapshot& services, const kube::snapshot& external_services,
                               const hijack_table* previous, const table_options& options);

}  // namespace egress::dns
