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
};

// TLS 1.2 or later. An error says which of the three could not be read.
result<std::shared_ptr<boost::asio::ssl::context>> make_tls_context(const tls_material& from);

}  // namespace egress::net
