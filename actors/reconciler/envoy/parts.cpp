#include "actors/reconciler/envoy/parts.hpp"

#include <utility>

namespace egress::envoy {

json::object typed(std::string_view type, json::object fields) {
  fields["@type"].emplace_string().append("type.googleapis.com/").append(type);
  return fields;
}

json::object extension(const json::storage_ptr& in, std::string_view name, std::string_view type,
                       json::members fields) {
  json::object config(fields.size() + 1, in);
  config.insert(fields);
  return json::object({{"name", name}, {"typedConfig", typed(type, std::move(config))}}, in);
}

json::object socket_address(const json::storage_ptr& in, std::string_view address, std::int64_t port,
                            std::string_view protocol) {
  json::object socket({{"address", address}, {"portValue", port}}, in);
  if (protocol != "TCP") socket["protocol"] = protocol;
  return json::object({{"socketAddress", std::move(socket)}}, in);
}

json::array one(json::value item) {
  json::array items(item.storage());
  items.push_back(std::move(item));
  return items;
}

json::object locality(json::object endpoint) {
  const auto in = endpoint.storage();
  json::object host({{"endpoint", std::move(endpoint)}}, in);
  return json::object({{"lbEndpoints", one(std::move(host))}}, in);
}

json::object assignment(std::string_view cluster, json::array localities) {
  const auto in = localities.storage();
  return json::object({{"clusterName", cluster}, {"endpoints", std::move(localities)}}, in);
}

json::object circuit_breakers(const json::storage_ptr& in, std::int64_t max_connections) {
  return json::object({{"thresholds", one(json::object({{"maxConnections", max_connections}}, in))}}, in);
}

json::object keepalive(const json::storage_ptr& in) {
  return json::object(
      {{"tcpKeepalive", {{"keepaliveInterval", 5}, {"keepaliveProbes", 3}, {"keepaliveTime", 30}}}}, in);
}

bool is_tcp(const kube::service_port& port) {
  return port.protocol == "TCP";
}

}  // namespace egress::envoy
