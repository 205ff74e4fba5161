#include "actors/dns/reverse_zones.hpp"

#include <algorithm>
#include <string_view>
#include <vector>

namespace egress::dns {
namespace {

std::vector<wire_name> make_zones() {
  std::vector<std::string> texts{
      "0.in-addr.arpa", "10.in-addr.arpa", "127.in-addr.arpa", "254.169.in-addr.arpa", "168.192.in-addr.arpa",
      "2.0.192.in-addr.arpa", "100.51.198.in-addr.arpa", "113.0.203.in-addr.arpa",
      "255.255.255.255.in-addr.arpa", "d.f.ip6.arpa", "c.f.ip6.arpa", "8.e.f.ip6.arpa", "9.e.f.ip6.arpa",
      "a.e.f.ip6.arpa", "b.e.f.ip6.arpa", "8.b.d.0.1.0.0.2.ip6.arpa",
      // RFC 9462, 6.4: a public resolver would name itself here, and clients go
      // there, past all that is hijacked.
      "resolver.arpa"};
  for (int i = 16; i < 32; ++i) texts.push_back(fmt::format("{}.172.in-addr.arpa", i));
  for (int i = 64; i < 128; ++i) texts.push_back(fmt::format("{}.100.in-addr.arpa", i));
  // :: and ::1
  std::string zeros;
  for (int i = 0; i < 31; ++i) zeros += "0.";
  texts.push_back("0." + zeros + "ip6.arpa");
  texts.push_back("1." + zeros + "ip6.arpa");
  std::vector<wire_name> zones;
  for (const auto& text : texts) zones.push_back(parse_name(text).value());
  return zones;
}

bool ends_in_arpa(const wire_name& name) {
  constexpr std::string_view tail("\4arpa\0", 6);
  return name.size >= 14 && std::ranges::equal(name.view().last(6), tail, {}, {},
                                               [](char c) { return static_cast<std::uint8_t>(c); });
}

// The labels of a whole address: 4.3.2.1.in-addr.arpa, or 32 nibbles below ip6.arpa.
std::size_t labels_of_address(const wire_name& name) {
  constexpr std::size_t ip6_arpa = 10;  // bytes
  return name.data[name.size - ip6_arpa] == 3 ? 34 : 6;
}

}  // namespace

std::optional<private_reverse> find_private_reverse(const wire_name& name) {
  if (!ends_in_arpa(name)) return std::nullopt;
  static const std::vector<wire_name> zones = make_zones();
  bytes suffix = name.view();
  // No zone has more labels than an address.
  for (std::size_t over = labels_of_address(name); over < name.labels; ++over)
    suffix = suffix.subspan(suffix[0] + 1u);
  while (suffix.size() > 1) {
    for (const auto& zone : zones)
      if (std::ranges::equal(zone.view(), suffix))
        return private_reverse{.zone = name.size - suffix.size(),
                               .exists = suffix.size() == name.size || name.labels < labels_of_address(name)};
    suffix = suffix.subspan(suffix[0] + 1u);
  }
  return std::nullopt;
}

}  // namespace egress::dns
