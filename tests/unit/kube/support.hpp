#pragma once
// What the tests of runtime/kube share: golden children, and how a server would return them.

#include <fstream>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>

#include "runtime/kube/json_text.hpp"
#include "tests/support/source_dir.hpp"

namespace egress::kube::test {

inline constexpr std::string_view golden_names[] = {"json-logs-debug", "minimal", "override", "readme-google",
                                                    "udp-and-tcp"};

inline json::value parsed(std::string_view text) {
  auto out = json::parse(text);
  if (!out) throw std::runtime_error(out.error().message);
  return std::move(*out);
}

inline json::object golden(std::string_view name) {
  std::ifstream in(std::string(testing::source_dir()) + "/tests/golden/" + std::string(name) + ".json");
  std::stringstream text;
  text << in.rdbuf();
  return parsed(text.str()).as_object();
}

// With what every API server adds to every object.
inline json::object as_served(json::object object) {
  auto& metadata = object.at("metadata").as_object();
  metadata["uid"] = "5b3f3f0a-0000-4000-8000-000000000001";
  metadata["resourceVersion"] = "812345";
  metadata["generation"] = 3;
  metadata["creationTimestamp"] = "2026-01-02T15:04:05Z";
  metadata["managedFields"] =
      parsed(R"([{"manager":"m","operation":"Update","fieldsV1":{"f:spec":{"f:replicas":{}}}}])");
  object["status"] =
      parsed(R"({"observedGeneration":3,"readyReplicas":2,"conditions":[{"type":"Available"}]})");
  return object;
}

}  // namespace egress::kube::test
