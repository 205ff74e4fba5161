#pragma once
// The conditions of an ExternalService and their reasons. Used by status.cpp; lastTransitionTime and
// observedGeneration are filled in there.

#include <vector>

#include "actors/reconciler/status.hpp"

namespace egress::reconciler {

std::vector<kube::condition> conditions_of(const status_facts& facts);

}  // namespace egress::reconciler
