#include "actors/dns/io/config.hpp"

#include <boost/asio/ip/address.hpp>
#include <charconv>

namespace egress::dns {

result<upstream_address> parse_upstream(const std::string& text) {
  boost::system::error_code problem;
  if (const auto bare = boost::asio::ip::make_address(text, problem); !problem)
    return upstream_address(bare, 53);
  const auto colon = text.rfind(':');
  if (colon == std::string::npos) return fail("\"{}\" is no IP address of a DNS server", text);
  std::string host = text.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  const auto address = boost::asio::ip::make_address(host, problem);
  std::uint16_t port = 0;
  const char* end = text.data() + text.size();
  const auto [stopped, wrong] = std::from_chars(text.data() + colon + 1, end, port);
  if (problem || wrong != std::errc{} || stopped != end || port == 0)
    return fail("\"{}\" is no DNS server: write IP, IP:PORT or [IPV6]:PORT", text);
  return upstream_address(address, port);
}

std::vector<std::string> nameservers_of(std::string_view resolv_conf) {
  constexpr std::string_view keyword = "nameserver", blank = " \t\r";
  std::vector<std::string> found;
  while (!resolv_conf.empty()) {
    const auto end = std::min(resolv_conf.find('\n'), resolv_conf.size());
    std::string_view line = resolv_conf.substr(0, end);
    resolv_conf.remove_prefix(std::min(end + 1, resolv_conf.size()));
    if (!line.starts_with(keyword)) continue;
    line.remove_prefix(keyword.size());
    const auto begin = line.find_first_not_of(blank);
    if (begin == 0 || begin == std::string_view::npos) continue;
    line.remove_prefix(begin);
    found.emplace_back(line.substr(0, line.find_first_of(blank)));
  }
  return found;
}

}  // namespace egress::dns
