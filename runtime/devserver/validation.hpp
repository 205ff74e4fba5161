#pragma once
// What the server refuses of an object before it stores it. Pure.

#include <string>
#include <vector>

#include "runtime/devserver/refusal.hpp"

namespace egress::dev {

// apiVersion, kind, name and namespace fit the request; fills in apiVersion and kind where a client left them
// out.
outcome<void> check_identity(const resource& of, json::object& object, const std::string& name_space,
                             const std::string& name);
// A name that the kind may have, and labels and annotations that are strings.
outcome<void> check_metadata(const resource& of, const json::object& object);
// Rules between the fields of built-in kinds; `old` is null on create.
outcome<void> check_spec(const resource& of, const json::object& object, const json::object* old);

}  // namespace egress::dev
