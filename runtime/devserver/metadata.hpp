#pragma once
// The part of an object's metadata that is the server's. Pure.

#include <string>

#include "runtime/base/time.hpp"
#include "runtime/devserver/refusal.hpp"
#include "runtime/devserver/store.hpp"

namespace egress::dev {

// Of a new object: uid, creationTimestamp, generation; what only a server may say is removed.
void set_created(const resource& of, json::object& object, std::string uid, wall_time now);
// Of a changed object: all that cannot change is as it was; managedFields are not kept.
void keep_system_fields(json::object& object, const json::object& old);
// The generation counts changes of anything but metadata and status.
void count_generation(const resource& of, json::object& object, const json::object& old);
// Equal but for the resourceVersion: not worth a write.
bool same_object(const json::object& a, const json::object& b);

// The main resource never writes a status, the status subresource nothing else.
void isolate_status(const resource& of, json::object& object, const json::object* old);
json::object with_status(const json::object& old, const json::object& changed);

// 409 when the object was changed, or replaced by another of its name, since the client read it.
outcome<void> check_preconditions(const resource& of, const json::object& present, std::string_view uid,
                                  std::string_view resource_version);

bool has_finalizers(const json::object& object);
void add_finalizer(json::object& object, std::string_view name);
void mark_deleted(json::object& object, wall_time now);

}  // namespace egress::dev
