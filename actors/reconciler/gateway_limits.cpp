#include "actors/reconciler/gateway_limits.hpp"

#include <algorithm>
#include <string>

#include "actors/reconciler/effective.hpp"
#include "runtime/kube/quantity.hpp"

namespace egress::reconciler {
namespace {

std::optional<std::int64_t> limit(const kube::external_service_spec& spec, const std::string& resource) {
  const auto limits = resources(spec, gateway_profile::hardened).limits;
  const auto found = limits.find(resource);
  if (found == limits.end()) return std::nullopt;
  const auto parsed = kube::quantity::parse(found->second);
  if (!parsed || parsed->zero() || parsed->negative()) return std::nullopt;
  return parsed->whole();
}

}  // namespace

std::int64_t worker_threads(const kube::external_service_spec& spec) {
  return std::min<std::int64_t>(limit(spec, "cpu").value_or(0), 1024);
}

memory_guard memory_guard_of(const kube::external_service_spec& spec) {
  // What a connection may hold: two buffers of 32 KiB, which most never fill.
  constexpr std::int64_t connection_bytes = 64 * 1024;
  constexpr std::int64_t fewest = 1000, most = 100'000;
  const auto bytes = limit(spec, "memory");
  if (!bytes) return {.heap_bytes = std::nullopt, .connections = most};
  // The rest is for what is not heap: code, stacks, the kernel's buffers of this container.
  return {.heap_bytes = std::max<std::int64_t>(*bytes / 10 * 9, 1),
          .connections = std::clamp(*bytes / connection_bytes, fewest, most)};
}

}  // namespace egress::reconciler
