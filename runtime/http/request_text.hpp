#pragma once
// A client's request as it goes over the wire (RFC 9112). Internal to the client. Pure.

#include <string>

#include "runtime/http/connection.hpp"

namespace egress::http {

// With Host, and with Content-Length where there is a body or the method usually has one. An error names what
// would break out of its place: a line break, a space in the target, a second Host.
result<std::string> request_text(const client_request& what, const base_url& to);

}  // namespace egress::http
