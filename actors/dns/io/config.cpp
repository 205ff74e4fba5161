#include "actors/dns/io/config.hpp"

#include <boost/asio/ip/address.hpp>
#include <charconv>

namespace egress::dns {

namespace {

result<upstream_address> parse_address(const std::string& text, std::uint16_t default_port) {
  boost::system::error_code problem;
  if (const auto bare = boost::asio::ip::make_address(text, problem); !problem)
    return upstream_address(bare, default_port);
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

}  // namespace

result<upstream_server> parse_upstream(const std::string& text) {
  constexpr std::string_view scheme = "tls://";
  if (!text.starts_with(scheme)) {
    auto plain = parse_address(text, 53);
    if (!plain) return std::unexpected(plain.error());
    return upstream_server(*plain);
  }
  const auto hash = text.find('#');
  if (hash == std::string::npos || hash + 1 == text.size())
    return fail("\"{}\" does not say whose certificate is expected: write tls://IP#NAME", text);
  auto address = parse_address(text.substr(scheme.size(), hash - scheme.size()), 853);
  if (!address) return std::unexpected(address.error());
  return upstream_server(*address, text.substr(hash + 1));
}

std::string to_text(const upstream_address& address) {
  const auto host = address.address().to_string();
  return address.address().is_v6() ? fmt::format("[{}]:{}", host, address.port())
                                   : fmt::format("{}:{}", host, address.port());
}

result<forward_domain> parse_forward(const std::string& text) {
  const auto equals = text.find('=');
  if (equals == std::string::npos) return fail("\"{}\" must be DOMAIN=IP[:PORT]", text);
  auto domain = parse_name(text.substr(0, equals));
  if (!domain) return std::unexpected(domain.error());
  forward_domain made{.domain = *domain, .servers = {}};
  for (std::size_t at = equals + 1; at <= text.size();) {
    const auto comma = std::min(text.find(',', at), text.size());
    auto server = parse_upstream(text.substr(at, comma - at));
    if (!server) return std::unexpected(server.error());
    made.servers.push_back(std::move(*server));
    at = comma + 1;
  }
  return made;
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
