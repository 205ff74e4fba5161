#pragma once
// Where the bytes are written that a digest is taken of: they are of no use after it, and each thread uses
// its memory again. Internal to the projections.

#include <string>

#include "runtime/base/give_back.hpp"
#include "runtime/kube/projection.hpp"
#include "runtime/net/keyed_digest.hpp"

namespace egress::kube {

// Of what `write` appends to the string that it is given; it must not take a digest itself.
template <class Write>
digest digest_of(Write&& write) {
  constexpr std::size_t usual = 4096;
  thread_local std::string bytes;
  bytes.clear();
  bytes.reserve(usual);
  write(bytes);
  const auto made = net::keyed_digest(bytes);
  if (bytes.capacity() > 4 * usual) give_back(bytes);
  return made;
}

}  // namespace egress::kube
