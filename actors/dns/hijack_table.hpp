#pragma once
// Which names we answer ourselves, and with what. Immutable: built when Services change, shared by all packet
// loops. One open-addressing table of lower-cased wire names; a lookup costs the same with 100 and 100,000
// names, allocates nothing, and may run on any thread. Pure.

#include <array>
#include <bitset>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "actors/dns/name.hpp"
#include "runtime/kube/snapshot.hpp"

namespace egress::dns {

enum class entry_kind : std::uint8_t {
  hijacked,    // an ExternalService's dnsName
  in_cluster,  // NAME.NAMESPACE.svc.ZONE of a gateway's Service
  reverse,     // the in-addr.arpa or ip6.arpa name of a ClusterIP; `target` is the in-cluster name
};

struct table_entry {
  entry_kind kind = entry_kind::hijacked;
  bool wildcard = false;  // `name` is the suffix behind "*."
  wire_name name;
  std::string owner;                             // the ExternalService's name
  std::vector<std::array<std::uint8_t, 4>> v4;   // at most max_addresses
  std::vector<std::array<std::uint8_t, 16>> v6;  // at most max_addresses
  std::vector<std::uint8_t> target;              // wire form; of a reverse name
};

// A Service has two ClusterIPs at most; with this bound every hijacked answer fits 512 bytes.
inline constexpr std::size_t max_addresses = 4;

class hijack_table {
 public:
  // The names must be unique for each of exact and wildcard.
  explicit hijack_table(std::vector<table_entry> entries);

  // The entry of this name itself, else of the longest suffix behind a "*."; null when there is neither.
  const table_entry* find(const wire_name& name) const;
  // The exact entry of the name that remains without the first label: for _-labelled names below one.
  const table_entry* find_parent(const wire_name& name) const;

  // How many names of ExternalServices are hijacked.
  std::size_t size() const { return hijacked_; }
  const std::vector<table_entry>& entries() const { return entries_; }

 private:
  struct slot {
    std::uint32_t hash = 0;
    std::uint32_t entry = 0;  // position + 1; 0 is free
  };
  const table_entry* find(bytes name, bool wildcard) const;
  void insert(std::uint32_t position);

  std::vector<table_entry> entries_;
  std::vector<slot> slots_;           // a power of two, at most half full
  std::bitset<128> wildcard_depths_;  // how many labels the suffixes have: only those are looked up
  std::size_t hijacked_ = 0;
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
// missing, relabelled or without an address, its entry of `previous` (may be null) stays: else the real
// address would leak. Of two that claim a name the older one wins, then the smaller name. Never throws for
// bad names or addresses: they are left out and complained about.
built_table build_hijack_table(const kube::snapshot& services, const kube::snapshot& external_services,
                               const hijack_table* previous, const table_options& options);

}  // namespace egress::dns
