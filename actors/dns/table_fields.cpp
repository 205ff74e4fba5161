#include "actors/dns/table_fields.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <string_view>

#include "actors/dns/client_acl.hpp"

namespace egress::dns {
namespace {

void append_label(wire_name& to, std::string_view label) {
  to.data[to.size++] = static_cast<std::uint8_t>(label.size());
  std::memcpy(&to.data[to.size], label.data(), label.size());
  to.size = static_cast<std::uint8_t>(to.size + label.size());
  ++to.labels;
}

template <std::size_t Size>
wire_name name_below_arpa(const std::array<std::uint8_t, Size>& address) {
  constexpr std::string_view digits = "0123456789abcdef";
  wire_name name;
  for (std::size_t i = Size; i-- > 0;) {
    if constexpr (Size == 4) {
      char text[3];
      const auto end = std::to_chars(text, text + sizeof text, address[i]).ptr;
      append_label(name, {text, end});
    } else {
      append_label(name, digits.substr(address[i] & 15, 1));
      append_label(name, digits.substr(address[i] >> 4, 1));
    }
  }
  append_label(name, Size == 4 ? "in-addr" : "ip6");
  append_label(name, "arpa");
  name.data[name.size++] = 0;
  return name;
}

}  // namespace

address_pair read_addresses(const std::vector<std::string>& texts) {
  address_pair read;
  std::array<std::uint8_t, 16> address;
  const auto keep = [&](auto& room, std::size_t& size, std::size_t width) {
    if (size + width > room.size()) return;
    std::copy_n(address.begin(), width, room.begin() + static_cast<std::ptrdiff_t>(size));
    size += width;
  };
  for (const auto& text : texts) {
    if (inet_pton(AF_INET, text.c_str(), address.data()) == 1)
      keep(read.v4_room, read.v4_size, 4);
    else if (inet_pton(AF_INET6, text.c_str(), address.data()) == 1)
      keep(read.v6_room, read.v6_size, 16);
  }
  return read;
}

wire_name reverse_name(const std::array<std::uint8_t, 4>& address) {
  return name_below_arpa(address);
}

wire_name reverse_name(const std::array<std::uint8_t, 16>& address) {
  return name_below_arpa(address);
}

void pack_ports(const kube::external_service_spec& spec, std::vector<std::uint8_t>& into) {
  into.clear();
  for (const auto& [port, protocol] : spec.ports) {
    const bool known = protocol == "TCP" || protocol == "UDP";
    if (!known || port < 1 || port > 65535 || into.size() + packed_port > 0xffff) continue;
    const auto number = static_cast<std::uint16_t>(port);
    into.insert(into.end(),
                {static_cast<std::uint8_t>(protocol == "TCP" ? 't' : 'u'),
                 static_cast<std::uint8_t>(number >> 8), static_cast<std::uint8_t>(number & 0xff)});
  }
}

result<std::vector<std::uint8_t>> pack_clients(const std::vector<std::string>& cidrs) {
  if (cidrs.empty()) return {};
  for (const auto& one : cidrs)
    if (!one.contains('/')) return fail("\"{}\" is no CIDR", one);
  auto list = client_acl::parse(cidrs);
  if (!list) return std::unexpected(list.error());
  auto packed = list->packed();
  if (packed.size() > 0xffff) return fail("{} CIDRs are too many", cidrs.size());
  return packed;
}

}  // namespace egress::dns
