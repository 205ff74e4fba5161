#pragma once
// When two JSON values of an API object mean the same, by the rules of kube::project: quantities by value,
// and what is empty is like what is not there, but where an empty value says something.

#include "runtime/kube/field_meaning.hpp"
#include "runtime/kube/json.hpp"

namespace egress::reconciler {

// null, "", {}, [], or an object of nothing but these; not an empty selector, which selects all, nor an empty
// value under a name that people chose.
bool says_nothing(const json::value& what, kube::place at);

bool same(const json::value& a, const json::value& b, kube::place at);

}  // namespace egress::reconciler
