#pragma once
// Random numbers for jitter.

#include <random>

namespace egress {

// Uniform in [0, 1). std::uniform_real_distribution takes logarithms for each number, at every event and run.
inline double chance(std::mt19937_64& of) {
  return static_cast<double>(of() >> 11U) * 0x1p-53;
}

}  // namespace egress
