#pragma once
// SHA-256 (FIPS 180-4), by OpenSSL. Pure; from any thread.

#include <array>
#include <cstdint>
#include <string_view>

namespace egress::net {

std::array<std::uint8_t, 32> sha256(std::string_view bytes);

}  // namespace egress::net
