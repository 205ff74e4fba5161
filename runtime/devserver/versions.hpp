#pragma once
// A kind as its other versions show it: autoscaling/v2 of what is stored as autoscaling/v1. Pure.

#include "runtime/devserver/store.hpp"

namespace egress::dev {

// The object in the version of `of`, which it may already have.
stored in_version(const resource& of, const stored& object);

}  // namespace egress::dev
