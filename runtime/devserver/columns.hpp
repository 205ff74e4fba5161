#pragma once
// The columns of each kind, as the real server's printers have them. Pure.

#include <functional>
#include <string>
#include <vector>

#include "runtime/base/time.hpp"
#include "runtime/devserver/resource.hpp"
#include "runtime/kube/json.hpp"

namespace egress::dev {

struct column {
  std::string name, type, format;
  int priority = 0;  // above 0: with -o wide only
  std::string description;
  std::function<json::value(const json::object&, wall_time now)> cell;
};

const std::vector<column>& columns_of(const resource& of);

}  // namespace egress::dev
