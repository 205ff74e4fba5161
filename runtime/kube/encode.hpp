#pragma once
// What we write beside the children, as JSON text: a status, a delete's preconditions, an Event. Pure.
// (A Lease's text is actors/leader/lease.hpp's.)

#include <cstdint>
#include <string>
#include <string_view>

#include "runtime/base/time.hpp"
#include "runtime/kube/external_service.hpp"
#include "runtime/kube/json.hpp"

namespace egress::kube {

json::object to_json(const external_service_status& status);

// A merge patch (RFC 7386) for externalservices/status: conditions whole, and null for what is empty, so that
// nothing of an older status stays. With a resource_version the server refuses it (409) on a newer object.
std::string status_patch(const external_service_status& status, std::string_view resource_version = {});

// meta/v1 DeleteOptions, background propagation; "" is no precondition.
std::string delete_options(std::string_view uid, std::string_view resource_version);

// A core/v1 Event about an ExternalService. The server takes Events of a cluster-scoped object in namespace
// "default" only, and without involvedObject.namespace.
struct event_record {
  std::string name;  // of the Event: unique, "example.17f3c0de"
  std::string object_name, object_uid, object_resource_version;
  bool warning = false;         // type Warning; otherwise Normal
  std::string reason, message;  // CamelCase; one sentence (the server takes 1024 bytes)
  wall_time first_seen, last_seen;
  std::int64_t count = 1;
};
inline constexpr std::string_view event_namespace = "default";

// The body of a create.
std::string encode_event(const event_record& event);
// A merge patch for one that is there and happened again: count, last_seen, message.
std::string event_patch(const event_record& event);

}  // namespace egress::kube
