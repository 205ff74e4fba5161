#include "runtime/http/url.hpp"

#include <algorithm>
#include <charconv>

namespace egress::http {
namespace {

// As decimal digits without leading zeros; "" when it is none.
std::string port_of(std::string_view text) {
  unsigned value = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (code != std::errc{} || end != text.data() + text.size() || value < 1 || value > 65535) return "";
  return std::to_string(value);
}

// It goes into the request line and the Host header: neither may be ended by it.
bool is_visible(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7f; });
}

bool is_unreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
         c == '_' || c == '~';
}

// Takes the host of HOST, HOST:PORT or [V6]:PORT, and gives the port as it is written; "" for none.
result<std::string_view> split_port(std::string_view authority, std::string_view whole, base_url& into) {
  if (authority.starts_with('[')) {
    const auto close = authority.find(']');
    if (close == std::string_view::npos)
      return fail("server {:?}: the bracket of the IPv6 address is not closed", whole);
    into.host = authority.substr(1, close - 1);
    authority.remove_prefix(close + 1);
    if (authority.empty()) return authority;
    if (!authority.starts_with(':')) return fail("server {:?}: no port follows the address", whole);
    return authority.substr(1);
  }
  const auto colon = authority.rfind(':');
  into.host = authority.substr(0, colon);
  if (into.host.find_first_of(":[]") != std::string::npos)
    return fail("server {:?}: an IPv6 address stands in brackets", whole);
  return colon == std::string_view::npos ? std::string_view{} : authority.substr(colon + 1);
}

}  // namespace

std::string base_url::authority() const {
  const auto bracketed = host.find(':') == std::string::npos ? host : "[" + host + "]";
  return port == (tls ? "443" : "80") ? bracketed : bracketed + ":" + port;
}

std::string base_url::host_and_port() const {
  return host.contains(':') ? "[" + host + "]:" + port : host + ":" + port;
}

result<base_url> parse_base_url(std::string_view text) {
  const auto whole = text;
  base_url made;
  if (!is_visible(text)) return fail("server {:?}: it has a character that no URL has", whole);
  if (text.starts_with("https://")) {
    made.tls = true;
    text.remove_prefix(8);
  } else if (text.starts_with("http://")) {
    text.remove_prefix(7);
  } else {
    return fail("server {:?}: must begin with https:// or http://", whole);
  }
  const auto slash = text.find('/');
  const auto authority = text.substr(0, slash);
  if (slash != std::string_view::npos) made.path_prefix = text.substr(slash);
  while (made.path_prefix.ends_with('/')) made.path_prefix.pop_back();
  if (text.find_first_of("@?#") != std::string_view::npos)
    return fail("server {:?}: only scheme, host, port and path may be given", whole);

  const auto port = split_port(authority, whole, made);
  if (!port) return std::unexpected(port.error());
  if (made.host.empty()) return fail("server {:?}: there is no host", whole);
  made.port = port->empty() ? (made.tls ? "443" : "80") : port_of(*port);
  if (made.port.empty()) return fail("server {:?}: {:?} is no port", whole, *port);
  return made;
}

std::string percent_encode(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (is_unreserved(c))
      out += c;
    else
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

}  // namespace egress::http
