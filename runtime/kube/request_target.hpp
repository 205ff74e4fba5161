#pragma once
// What a request of ours is in HTTP: method, target, content type, body. Pure.

#include <chrono>
#include <string>
#include <string_view>

#include "runtime/kube/api.hpp"

namespace egress::kube {

struct http_shape {
  std::string method;
  std::string target;
  std::string content_type;  // "" without a body
  std::string body;
  bool writes = false;  // the write gate is asked; not for a Lease, which is what opens the gate
};

// A write carries its time-out (?timeout=) to the server; of a read the request's own is enough.
http_shape shape_of(const request& what, std::chrono::milliseconds write_timeout);
std::string target_of(const watch_request& what);

}  // namespace egress::kube
