#pragma once
// The base URL of a server: https://10.0.0.1:443, http://[::1]:8080/prefix.

#include <string>
#include <string_view>

#include "runtime/base/result.hpp"

namespace egress::http {

struct base_url {
  bool tls = false;
  std::string host;         // without brackets
  std::string port;         // decimal; 443 or 80 when the URL has none
  std::string path_prefix;  // "" or "/prefix", never ending in a slash

  // What the Host header says: brackets around IPv6, the port unless it is the scheme's own.
  std::string authority() const;
  // The same with the port always there, as client-go tells it in metrics.
  std::string host_and_port() const;
};

// Pure. Refuses user information, queries and fragments, which have no meaning in an API server's address.
result<base_url> parse_base_url(std::string_view text);

// RFC 3986 percent-encoding of everything but unreserved characters.
std::string percent_encode(std::string_view text);

}  // namespace egress::http
