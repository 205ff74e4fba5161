#pragma once
// Objects as meta.k8s.io/v1 Tables: what `kubectl get` prints. Pure.

#include <span>

#include "runtime/base/time.hpp"
#include "runtime/devserver/store.hpp"

namespace egress::dev {

enum class row_object : std::uint8_t { none, metadata, whole };  // includeObject

struct table_options {
  row_object include = row_object::metadata;
  bool columns = true;  // left out after the first event of a watch
  wall_time now;
};

// `list_metadata` is the list's own: resourceVersion, continue.
json::object table_of(const resource& of, std::span<const stored> objects, json::object list_metadata,
                      const table_options& with);

}  // namespace egress::dev
