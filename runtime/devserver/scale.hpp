#pragma once
// The scale subresource of a Deployment: autoscaling/v1 Scale. Pure.

#include "runtime/devserver/refusal.hpp"

namespace egress::dev {

json::object scale_of(const json::object& deployment);
// The Deployment with the replicas, and the preconditions, of this Scale.
outcome<json::object> with_scale(const json::object& deployment, const json::object& scale);

}  // namespace egress::dev
