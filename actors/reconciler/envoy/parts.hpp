#pragma once
// The pieces of proto-JSON that both profiles are made of. Pure. A tree is written once and thrown away: all
// of it lives in one storage, `in` (that of the parts it is given, where there are any).

#include <cstdint>
#include <string_view>

#include "runtime/kube/external_service.hpp"
#include "runtime/kube/json.hpp"

namespace egress::envoy {

// An Any: '@type' is type.googleapis.com/TYPE, and the fields.
json::object typed(std::string_view type, json::object fields);

// {"name": …, "typedConfig": an Any}
json::object extension(const json::storage_ptr& in, std::string_view name, std::string_view type,
                       json::members fields = {});

// {"socketAddress": …}: the protocol only when it is not the default, TCP.
json::object socket_address(const json::storage_ptr& in, std::string_view address, std::int64_t port,
                            std::string_view protocol = "TCP");

// An array of one.
json::array one(json::value item);

// {"lbEndpoints": [{"endpoint": …}]}
json::object locality(json::object endpoint);
// {"clusterName": …, "endpoints": …} as loadAssignment
json::object assignment(std::string_view cluster, json::array localities);

// {"thresholds": [{"maxConnections": …}]}
json::object circuit_breakers(const json::storage_ptr& in, std::int64_t max_connections);

// {"tcpKeepalive": …} as upstreamConnectionOptions: an upstream that vanished is noticed after 45 s.
json::object keepalive(const json::storage_ptr& in);

bool is_tcp(const kube::service_port& port);

}  // namespace egress::envoy
