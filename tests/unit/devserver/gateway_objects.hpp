#pragma once
// The three objects of a gateway, as far as its process depends on them.

#include "tests/unit/devserver/api_client.hpp"

namespace egress::dev::test {

// FNV-1a of "a" and "b": what the pods' annotation says when the ConfigMap has that text.
constexpr const char* hash_of_a = "e40c292c";
constexpr const char* hash_of_b = "e70c2de5";

struct gateway_pods {
  std::string hash = "";
  std::string image = "envoy:1";
  std::string arguments = R"(["-c","/etc/envoy/envoy.yaml","--log-level","debug","--concurrency","2"])";
  bool probe = true;
};

inline std::string gateway_deployment(const std::string& name, int replicas = 3, gateway_pods pods = {}) {
  const auto probe = pods.probe ? R"(,"readinessProbe":{"httpGet":{"path":"/ready","port":11000}})" : "";
  return R"({"metadata":{"name":")" + name + R"("},"spec":{"replicas":)" + std::to_string(replicas) +
         R"(,"selector":{"matchLabels":{"g":"x"}},"template":{"metadata":{"labels":{"g":"x",)"
         R"("egress.monzo.com/gateway":")" +
         name + R"("},"annotations":{)" +
         (pods.hash.empty() ? "" : R"("egress.monzo.com/config-hash":")" + pods.hash + R"(")") +
         R"(}},"spec":{"containers":[{"name":"gateway","image":")" + pods.image + R"(","args":)" +
         pods.arguments + probe + "}]}}}}";
}

inline std::string gateway_map(const std::string& name, const std::string& envoy_yaml) {
  return json::to_text(json::object{{"metadata", json::object{{"name", name}}},
                                    {"data", json::object{{"envoy.yaml", envoy_yaml}}}});
}

// The same with the files that it follows.
inline std::string following_map(const std::string& name, const std::string& lds) {
  json::object data{{"envoy.yaml", "staticResources: {listeners: []}"}, {"cds.yaml", "resources: []"}};
  data["lds.yaml"] = lds;
  return json::to_text(json::object{{"metadata", json::object{{"name", name}}}, {"data", std::move(data)}});
}

// What is enough of a configuration to be substituted.
constexpr const char* small_yaml = "staticResources: {listeners: []}";

inline void post_gateway(api_client& to, const std::string& name, int replicas = 3, gateway_pods pods = {}) {
  to.post(config_maps_path, gateway_map(name, small_yaml));
  to.post(services_path, service(name));
  to.post(deployments_path, gateway_deployment(name, replicas, std::move(pods)));
}

}  // namespace egress::dev::test
