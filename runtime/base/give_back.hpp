#pragma once
// Gives the memory of a container back to the heap. Pure.

namespace egress {

// `held = {}` does not: it assigns an empty list of elements, as clear() does. Nor does a string that an
// empty one is moved into.
template <class Container>
void give_back(Container& held) {
  Container().swap(held);
}

}  // namespace egress
