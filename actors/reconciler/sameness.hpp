#pragma once
// When two JSON values of an API object mean the same, by the rules of kube::project: quantities by value,
// and what is empty is like what is not there, but where an empty value says something.

#include <string_view>

#include "runtime/kube/json.hpp"

namespace egress::reconciler {

// Where a value stands: the name of its member, and of the member that holds its object ("" in a list).
struct place {
  std::string_view name, parent;
};

// null, "", {}, [], or an object of nothing but these; not an empty selector, which selects all, nor an empty
// value under a name that people chose.
bool says_nothing(const json::value& what, place at);

bool same(const json::value& a, const json::value& b, place at);

}  // namespace egress::reconciler
