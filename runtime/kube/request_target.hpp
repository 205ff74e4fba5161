#pragma once
// What a request of ours is in HTTP: method, target, content type, body. Pure.

#include <chrono>
#include <string>
#include <string_view>

#include "runtime/kube/api.hpp"

namespace egress::kube {

struct http_shape {
  std::string_view method;
  std::string target;
  std::string_view content_type;  // "" without a body
  bool writes = false;            // the write gate is asked; not for a Lease, which is what opens the gate
  std::string options;            // of a deletion

  // A view of this, or of the request that it is the shape of.
  std::string_view body(const request& of) const {
    if (content_type.empty()) return {};
    return of.what == verb::remove ? std::string_view{options} : of.body;
  }
};

// A write carries its time-out (?timeout=) to the server; of a read the request's own is enough.
http_shape shape_of(const request& what, std::chrono::milliseconds write_timeout);
std::string target_of(const watch_request& what);

}  // namespace egress::kube
