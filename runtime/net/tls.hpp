#pragma once
// TLS contexts for connections of ours, from PEM text.

#include <boost/asio/ssl/context.hpp>
#include <memory>
#include <string>

#include "runtime/base/result.hpp"

namespace egress::net {

struct tls_material {
  std::string authorities;       // PEM bundle to trust; "" is the system's
  std::string certificate, key;  // PEM, of the client; both or none
  bool verify = true;
  // What errors call the three: a field of a configuration, a file.
  std::string authorities_name = "certificate authority", certificate_name = "client certificate",
              key_name = "client key";

  friend bool operator==(const tls_material&, const tls_material&) = default;
};

// TLS 1.2 or later. An error names which of the three could not be read.
result<std::shared_ptr<boost::asio::ssl::context>> make_tls_context(const tls_material& from);

// Before the handshake: whom we expect, a host name (sent as SNI; RFC 6066 has names only) or an address.
// With `verify` the server's certificate must be trusted and bear it.
void expect_peer(SSL* session, const std::string& name, bool verify);

// After a handshake that failed: what is wrong with the server's certificate; "" when it is not that.
std::string why_refused(SSL* session, const std::string& name);

}  // namespace egress::net
