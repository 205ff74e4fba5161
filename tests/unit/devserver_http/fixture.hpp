#pragma once
// What the tests here share: a cluster to ask without HTTP, a server to ask over it, and objects.

#include <gtest/gtest.h>

#include "runtime/devserver/api.hpp"
#include "runtime/devserver/dev_server.hpp"
#include "runtime/kube/json_text.hpp"

namespace egress::dev::test {

inline const std::string exsvcs = "/apis/egress.monzo.com/v1/externalservices";
inline const std::string maps = "/api/v1/namespaces/default/configmaps";

inline const char* nothing_set(const char*) {
  return nullptr;
}

inline std::string external_service(const std::string& name, const std::string& more = "") {
  return R"({"apiVersion":"egress.monzo.com/v1","kind":"ExternalService","metadata":{"name":")" + name +
         R"("},"spec":{"dnsName":")" + name + R"(.example")" + more + "}}";
}

inline std::string config_map(const std::string& name, const std::string& labels = "{}",
                              const std::string& data = "{}") {
  return R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":")" + name + R"(","labels":)" + labels +
         R"(},"data":)" + data + "}";
}

inline json::object parsed(const std::string& text) {
  auto made = json::parse_object(text);
  if (!made) throw std::runtime_error(made.error().message + ": " + text);
  return *std::move(made);
}

// The value at a JSON pointer (RFC 6901), as text; "" when there is none.
inline std::string at(const json::object& in, const std::string& pointer) {
  boost::system::error_code missing;
  const json::value whole(in);
  const auto* const found = whole.find_pointer(pointer, missing);
  if (found == nullptr) return "";
  return found->is_string() ? std::string{found->get_string()} : json::to_text(*found);
}

// A cluster, asked as the HTTP layer asks it.
struct asked_cluster {
  wall_time now = wall_time{} + std::chrono::hours{500'000};
  std::unique_ptr<cluster> objects = cluster::make({}, now).value();

  api_answer operator()(const std::string& method, const std::string& target, const std::string& body = "",
                        const std::string& type = "application/json",
                        const std::string& accept = "application/json") {
    const api_request from{method, target, type, accept, body};
    return answer(*objects, parse_request(from), now);
  }
};

}  // namespace egress::dev::test
