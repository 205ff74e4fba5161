#pragma once
// How often the I/O thread looks at its sockets while many requests queue for a connection, or nobody waits
// for those that have one. Pure.

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "runtime/kube/request_load.hpp"

namespace egress {

// A server that is the bottleneck answers here and there, and each answer and watch event that comes alone
// wakes a thread whose caches are cold by then. Some milliseconds later they come together, and the
// server has had requests enough meanwhile: as long as a rest is short beside the time that it takes for one.
// (docs/decisions/0015-rests-under-load.md)
class look_pace {
 public:
  static constexpr std::chrono::microseconds longest{32'000}, shortest{500};

  // Called after each look: how long to sleep before the next, 0 for not at all, as whenever the load is not
  // crowded. It aims at a quarter to five eighths of the requests that may be under way being answered during
  // a sleep: the server then still has the rest to work on. After a calm period it starts again from 0.
  std::chrono::microseconds next(const kube::request_load& now);

 private:
  // Single looks see too few answers to judge by.
  static constexpr unsigned looks_between = 8;
  // Looks; a load at the edge is not crowded for some of them in a row.
  static constexpr unsigned a_while = 64;
  static look_pace after_calm(std::uint64_t answered);

  std::chrono::microseconds rest_{0};
  unsigned looks_ = 0, calm_ = 0;
  std::uint64_t answered_ = 0;  // as of the last judgement
};

}  // namespace egress
