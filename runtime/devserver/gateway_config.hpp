#pragma once
// A gateway's Envoy configuration, as it must be where gateways are processes of one machine instead of pods
// with a network of their own. Pure.

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/result.hpp"

namespace egress::dev {

struct name_server {
  std::string address;  // IPv4 or IPv6, without brackets
  std::uint16_t port = 53;
  friend bool operator==(const name_server&, const name_server&) = default;
};

// The files of a ConfigMap, by name.
using config_files = std::map<std::string, std::string>;

// Takes the envoy.yaml of a ConfigMap and gives JSON that differs in four places:
// - Every listener, and an administration over TCP, is bound to `address`, the Service's ClusterIP: in a pod
//   all addresses are the gateway's own, here they are everyone's.
// - No listener shares its port (enableReusePort): of two gateways with one address the second fails, rather
//   than taking half of the connections.
// - Names of abstract sockets end in the address: in a pod nobody else can have them.
// - Names are resolved by `resolvers`, those that the operator itself forwards to. Envoy's default is the
//   machine's own resolver, which may be the operator: the gateway would connect to itself. Without any, it
//   asks a port where nobody answers.
result<std::string> config_on_this_machine(std::string_view envoy_yaml, const std::string& address,
                                           const std::vector<name_server>& resolvers);

// The same for all files: with envoy.yaml alone, or with cds.yaml and lds.yaml, which it follows.
result<config_files> files_on_this_machine(const config_files& mounted, const std::string& address,
                                           const std::vector<name_server>& resolvers);

// The envoy.yaml of those for a folder that they are in, in place of /etc/envoy.
std::string mounted_at(const std::string& envoy_yaml, const std::string& folder);

}  // namespace egress::dev
