#pragma once
// API objects out of YAML or JSON text, as kubectl reads it. Pure; manifest_files.hpp reads files.

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/result.hpp"
#include "runtime/kube/json.hpp"
#include "runtime/kube/object.hpp"

namespace egress::kube {

struct manifest {
  json::object object;
  std::string file;
  int line = 1;                      // where the object begins
  std::map<std::string, int> lines;  // of every value in it, by its path ("spec.ports[0].port")

  // The line of the value at this path, or of the nearest one around it.
  int line_of(std::string_view path) const;
};

// All objects of a stream of documents; kinds that end in List are taken apart. Every object has apiVersion
// and kind. Errors read "FILE:LINE: what".
result<std::vector<manifest>> parse_manifests(std::string_view text, std::string_view file_name);

// The ExternalService in it, as a server would store it. Errors read "FILE:LINE: what"; a spec with wrong
// types, or a field that there is not, is none, and says so in external_service::undecodable ("FILE:LINE:
// spec.ports[0].port: what").
result<object_ptr> external_service_from(const manifest& from);

}  // namespace egress::kube
