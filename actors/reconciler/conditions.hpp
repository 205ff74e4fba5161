#pragma once
// The conditions of an ExternalService and their reasons. Used by status.cpp; lastTransitionTime and
// observedGeneration are filled in there.

#include <string_view>
#include <vector>

#include "actors/reconciler/status.hpp"

namespace egress::reconciler {

std::vector<kube::condition> conditions_of(const status_facts& facts);

// Whether a condition that is False for this reason stays so until a person changes something.
bool is_stuck(std::string_view reason);

}  // namespace egress::reconciler
