#pragma once
// What objects say, packed as a record of the table has it. Internal to build_hijack_table.cpp. Pure.

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "actors/dns/table_record.hpp"
#include "runtime/base/result.hpp"
#include "runtime/kube/external_service.hpp"

namespace egress::dns {

// ClusterIPs of one Service, packed as a record has them.
struct address_pair {
  std::array<std::uint8_t, 4 * max_addresses> v4_room;
  std::array<std::uint8_t, 16 * max_addresses> v6_room;
  std::size_t v4_size = 0, v6_size = 0;

  address_list<4> v4() const { return address_list<4>(bytes(v4_room).first(v4_size)); }
  address_list<16> v6() const { return address_list<16>(bytes(v6_room).first(v6_size)); }
  bool empty() const { return v4_size + v6_size == 0; }
};

// What is no address ("None") is left out.
address_pair read_addresses(const std::vector<std::string>& texts);

// 4.3.2.1.in-addr.arpa, or 32 nibbles below ip6.arpa.
wire_name reverse_name(const std::array<std::uint8_t, 4>& address);
wire_name reverse_name(const std::array<std::uint8_t, 16>& address);

// The ports of the Service that is made of this spec. (What is refused leaves the Service as it is.)
void pack_ports(const kube::external_service_spec& spec, std::vector<std::uint8_t>& into);

// spec.dnsClients.
result<std::vector<std::uint8_t>> pack_clients(const std::vector<std::string>& cidrs);

}  // namespace egress::dns
