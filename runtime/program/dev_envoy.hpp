#pragma once
// What `dev --envoy` sets up: the program, the folder, and the DNS servers that gateways ask.

#include <vector>

#include "runtime/base/options.hpp"
#include "runtime/devserver/dev_server.hpp"

namespace egress {

// Those that the operator forwards to, at this moment, without itself and without those over TLS, which
// Envoy's resolver cannot ask.
result<std::vector<dev::name_server>> gateway_resolvers(const dns_options& dns);

// Makes the folder. Errors name the flag.
result<void> set_up_envoy(const dev_options& options, dev::dev_server_options& into);

}  // namespace egress
