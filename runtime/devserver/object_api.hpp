#pragma once
// Requests for objects: the verbs. Pure.

#include "runtime/devserver/api.hpp"

namespace egress::dev {

// `what` is of a kind that the cluster serves.
api_answer answer_for_objects(cluster& on, const parsed_request& what, wall_time now);

}  // namespace egress::dev
