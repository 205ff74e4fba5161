#pragma once
// A coordination.k8s.io/v1 Lease as leader election sees it, from and to its JSON. Pure.

#include <cstdint>
#include <string>
#include <string_view>

#include "runtime/base/result.hpp"
#include "runtime/base/time.hpp"
#include "runtime/kube/json.hpp"

namespace egress::leader {

// LeaseSpec. The times are for people: no decision is made of another machine's clock.
struct lease_record {
  std::string holder;  // "" when nobody holds it
  std::int64_t duration_seconds = 0;
  std::string acquire_time, renew_time;  // RFC 3339 with microseconds
  std::int64_t transitions = 0;
  friend bool operator==(const lease_record&, const lease_record&) = default;
};

struct lease {
  lease_record record;
  std::string resource_version;
  json::object document;  // as the server sent it: labels and annotations of others stay
};

// An error says which field is not what the API promises. A Lease without spec is one nobody holds.
result<lease> decode_lease(std::string_view json);

// The body of a create.
std::string encode_new_lease(std::string_view name_space, std::string_view name, const lease_record& record);
// The body of a replace: `current` with this record. Its resourceVersion makes a lost race a conflict.
std::string encode_lease(const lease& current, const lease_record& record);

}  // namespace egress::leader
