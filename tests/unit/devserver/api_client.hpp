#pragma once
// A client of the embedded API without HTTP, in virtual time.

#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <stdexcept>
#include <string>

#include "runtime/devserver/api.hpp"
#include "runtime/devserver/tree.hpp"
#include "runtime/kube/json_text.hpp"

namespace egress::dev::test {

inline json::object object_from(const std::string& text) {
  auto parsed = json::parse_object(text);
  if (!parsed) throw std::runtime_error(parsed.error().message + ": " + text);
  return *std::move(parsed);
}

struct reply {
  int status = 0;
  json::object body;
  api_answer raw;

  std::string reason() const { return std::string{text_at(body, {"reason"})}; }
  std::string message() const { return std::string{text_at(body, {"message"})}; }
  std::string version() const { return version_of(body); }
};

constexpr const char* services_path = "/api/v1/namespaces/egress-operator-system/services";
constexpr const char* deployments_path = "/apis/apps/v1/namespaces/egress-operator-system/deployments";
constexpr const char* config_maps_path = "/api/v1/namespaces/egress-operator-system/configmaps";
constexpr const char* autoscalers_path =
    "/apis/autoscaling/v1/namespaces/egress-operator-system/horizontalpodautoscalers";
constexpr const char* external_services_path = "/apis/egress.monzo.com/v1/externalservices";

inline std::string under(const char* collection, const std::string& rest) {
  return std::string{collection} + "/" + rest;
}

class api_client {
 public:
  explicit api_client(cluster_settings settings = {}) {
    auto made = cluster::make(settings, now);
    if (!made) throw std::runtime_error(made.error().message);
    on = *std::move(made);
  }

  reply call(const std::string& method, const std::string& target, std::string body = "",
             std::string content_type = "application/json", std::string accept = "") {
    const api_request asked{method, target, std::move(content_type), std::move(accept), std::move(body)};
    reply got;
    got.raw = answer(*on, parse_request(asked), now);
    got.status = got.raw.status;
    if (!got.raw.watch && got.raw.content_type == "application/json") got.body = object_from(got.raw.body);
    return got;
  }

  reply get(const std::string& target) { return call("GET", target); }
  std::string raw_text(const std::string& target) { return call("GET", target).raw.body; }
  reply post(const std::string& target, const std::string& body) { return call("POST", target, body); }
  reply put(const std::string& target, const std::string& body) { return call("PUT", target, body); }
  reply remove(const std::string& target, const std::string& body = "") {
    return call("DELETE", target, body);
  }
  reply merge(const std::string& target, const std::string& body) {
    return call("PATCH", target, body, "application/merge-patch+json");
  }
  reply strategic(const std::string& target, const std::string& body) {
    return call("PATCH", target, body, "application/strategic-merge-patch+json");
  }

  // Time goes by, and the controllers do what they do meanwhile.
  void pass(milliseconds time) {
    on->run_controllers(now);
    now += time;
    on->run_controllers(now);
  }

  wall_time now{std::chrono::sys_days{std::chrono::year{2026} / 1 / 2}};
  std::unique_ptr<cluster> on;
};

inline std::string config_map(const std::string& name, const std::string& value = "x") {
  return R"({"metadata":{"name":")" + name + R"(","labels":{"app":"a"}},"data":{"k":")" + value + R"("}})";
}

inline std::string external_service(const std::string& name, const std::string& spec) {
  return R"({"apiVersion":"egress.monzo.com/v1","kind":"ExternalService","metadata":{"name":")" + name +
         R"("},"spec":)" + spec + "}";
}

inline std::string deployment(const std::string& name, int replicas = 3, const std::string& image = "i:1") {
  return R"({"metadata":{"name":")" + name + R"("},"spec":{"replicas":)" + std::to_string(replicas) +
         R"(,"selector":{"matchLabels":{"g":"x"}},"template":{"metadata":{"labels":{"g":"x"}},)"
         R"("spec":{"containers":[{"name":"gateway","image":")" +
         image + R"(","ports":[{"containerPort":443}]}]}}}})";
}

inline std::string service(const std::string& name, const std::string& more = "") {
  return R"({"metadata":{"name":")" + name + R"("},"spec":{"ports":[{"port":443}])" + more + "}}";
}

}  // namespace egress::dev::test
