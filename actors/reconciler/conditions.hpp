#pragma once
// The conditions of an ExternalService and their reasons. Used by status.cpp; lastTransitionTime and
// observedGeneration are filled in there.

#include <vector>

#include "actors/reconciler/status.hpp"

namespace egress::reconciler {

std::vector<kube::condition> conditions_of(const status_facts& facts);

// The live child of this kind if it is this ExternalService's, else null.
const kube::child* own(const status_facts& facts, kube::kind of);

}  // namespace egress::reconciler
