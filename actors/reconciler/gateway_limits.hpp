#pragma once
// How large a hardened gateway may grow, from its container's limits. Pure.

#include <cstdint>
#include <optional>

#include "runtime/kube/external_service.hpp"

namespace egress::reconciler {

// Envoy's --concurrency: the CPU limit in whole cores, rounded up. 0 when there is no limit: then Envoy
// decides.
std::int64_t worker_threads(const kube::external_service_spec& spec);

struct memory_guard {
  std::optional<std::int64_t> heap_bytes;  // the heap at which Envoy counts as full; none without a limit
  std::int64_t connections = 0;            // accepted at a time, over all ports
};
memory_guard memory_guard_of(const kube::external_service_spec& spec);

}  // namespace egress::reconciler
