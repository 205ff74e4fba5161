#pragma once
// What the value of a field of an API object means where its type alone does not tell. Pure.

#include <string_view>

namespace egress::kube {

// Where a value stands: the name of its member, and of the member that holds its object ("" in a list).
struct place {
  std::string_view name, parent;
};

// An empty object there says something: an empty selector selects all, where none selects nothing (a peer of
// a NetworkPolicy, a PodDisruptionBudget, a spread constraint); emptyDir is told from other volumes by its
// name.
bool empty_says_something(std::string_view name);

// The member of this name is a map with keys that people choose (labels, data): an empty value there is a
// value like any other.
bool keys_are_chosen(std::string_view name);

// The value is a resource.Quantity, which has many spellings.
bool is_quantity(place at);

}  // namespace egress::kube
