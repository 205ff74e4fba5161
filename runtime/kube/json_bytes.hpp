#pragma once
// A tree as bytes that no other tree has, to be compared or digested: shorter work than text, and not to be
// read again. The order of members does not matter, nor how a whole number is held. Pure.

#include <string>

#include "runtime/kube/json.hpp"

namespace egress::json {

std::string canonical_bytes(const object& what);

}  // namespace egress::json
