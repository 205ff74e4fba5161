#pragma once
// SipHash-2-4 (128 bits), by OpenSSL, under a key that each process draws for itself: who does not know it
// finds no two texts with one digest. Never stored, and never compared with another process's. Pure but for
// the key; from any thread.

#include <array>
#include <cstdint>
#include <string_view>

namespace egress::net {

std::array<std::uint8_t, 16> keyed_digest(std::string_view bytes);

}  // namespace egress::net
