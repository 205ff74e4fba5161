#pragma once
// YAML text as JSON trees that remember their lines. Pure; the only user of yaml-cpp beside the kubeconfig.

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/result.hpp"
#include "runtime/kube/json.hpp"

namespace egress::kube {

struct yaml_document {
  json::value root;
  int line = 1;                      // where it begins, from 1
  std::map<std::string, int> lines;  // of every value, by its path ("spec.ports[0].port")
};

// Every document of a stream; empty ones are left out. Anchors, aliases and merge keys are resolved (what
// they expand to is bounded); a member that is there twice is an error. Errors read "FILE:LINE: what".
result<std::vector<yaml_document>> read_yaml(std::string_view text, std::string_view file_name);

}  // namespace egress::kube
