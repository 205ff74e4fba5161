#include "actors/reconciler/envoy/parts.hpp"

#include <utility>

namespace egress::envoy {

json::object typed(std::string_view type, json::object fields) {
  fields["@type"].emplace_string().append("type.googleapis.com/").append(type);
  return fields;
}

json::object extension(std::string_view name, json::object typed_config) {
  json::object made({{"name", name}}, typed_config.storage());
  made["typedConfig"] = std::move(typed_config);
  return made;
}

json::object socket_address(const json::storage_ptr& in, std::string_view address, std::int64_t port,
                            std::string_view protocol) {
  json::object socket({{"address", address}, {"portValue", port}}, in);
  if (protocol != "TCP") socket["protocol"] = protocol;
  json::object made(in);
  made["socketAddress"] = std::move(socket);
  return made;
}

json::array one(json::value item) {
  json::array items(item.storage());
  items.push_back(std::move(item));
  return items;
}

json::object circuit_breakers(const json::storage_ptr& in, std::int64_t max_connections) {
  json::object made(in);
  made["thresholds"] = one(json::object({{"maxConnections", max_connections}}, in));
  return made;
}

json::object keepalive(const json::storage_ptr& in) {
  json::object made(in);
  made["tcpKeepalive"] =
      json::object({{"keepaliveInterval", 5}, {"keepaliveProbes", 3}, {"keepaliveTime", 30}}, in);
  return made;
}

bool is_tcp(const kube::service_port& port) {
  return port.protocol == "TCP";
}

}  // namespace egress::envoy
