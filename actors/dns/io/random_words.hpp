#pragma once
// Random words that nobody foresees, from the kernel's generator. They come in blocks: a call into the kernel
// (or the processor's slow instruction, which std::random_device uses) for each word costs more than all else
// that is done to ask a question. Used on one thread only.

#include <sys/random.h>

#include <array>
#include <cstdint>
#include <stdexcept>
#include <utility>

#include "actors/dns/cache_entry.hpp"

namespace egress::dns {

class random_words {
 public:
  std::uint32_t operator()() {
    if (next_ == words_.size()) refill();
    return std::exchange(words_[next_++], 0);
  }
  std::uint64_t twice() { return std::uint64_t{(*this)()} << 32 | (*this)(); }

 private:
  void refill() {
    // Up to 256 bytes come whole or not at all (getrandom(2)).
    if (::getrandom(words_.data(), sizeof words_, 0) != static_cast<ssize_t>(sizeof words_))
      throw std::runtime_error("the kernel gives no random numbers");
    next_ = 0;
  }

  std::array<std::uint32_t, 64> words_{};
  std::size_t next_ = words_.size();
};

inline cache_seed random_seed() {
  random_words random;
  return {random.twice(), random.twice()};
}

}  // namespace egress::dns
