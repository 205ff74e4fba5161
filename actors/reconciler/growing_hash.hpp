#pragma once
// FNV-1a, 32 bits, of a text that is being written. Each byte's step waits for the one before it, some four
// cycles, which pass beside other work when the text is followed line by line; of the whole text at its end
// they would come on top. Pure.

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace egress {

class growing_hash {
 public:
  // `text` is what it was at the last call, and what has come behind that.
  void follow(std::string_view text) {
    auto hash = hash_;
    for (const char c : text.substr(length_)) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619U;
    hash_ = hash;
    length_ = text.size();
  }

  std::uint32_t value() const { return hash_; }

 private:
  std::uint32_t hash_ = 2166136261U;
  std::size_t length_ = 0;
};

}  // namespace egress
