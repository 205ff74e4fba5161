#include "actors/reconciler/envoy/parts.hpp"

#include <string>
#include <utility>

namespace egress::envoy {

json::object typed(std::string_view type, json::object fields) {
  fields["@type"] = "type.googleapis.com/" + std::string(type);
  return fields;
}

json::object extension(std::string_view name, json::object typed_config) {
  json::object made;
  made["name"] = name;
  made["typedConfig"] = std::move(typed_config);
  return made;
}

json::object socket_address(std::string_view address, std::int64_t port, std::string_view protocol) {
  json::object socket{{"address", address}, {"portValue", port}};
  if (protocol != "TCP") socket["protocol"] = protocol;
  json::object made;
  made["socketAddress"] = std::move(socket);
  return made;
}

json::array one(json::value item) {
  json::array items;
  items.push_back(std::move(item));
  return items;
}

json::object circuit_breakers(std::int64_t max_connections) {
  json::object made;
  made["thresholds"] = one(json::object{{"maxConnections", max_connections}});
  return made;
}

json::object keepalive() {
  json::object made;
  made["tcpKeepalive"] =
      json::object{{"keepaliveInterval", 5}, {"keepaliveProbes", 3}, {"keepaliveTime", 30}};
  return made;
}

bool is_tcp(const kube::service_port& port) {
  return port.protocol == "TCP";
}

}  // namespace egress::envoy
