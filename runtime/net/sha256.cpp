#include "runtime/net/sha256.hpp"

#include <openssl/sha.h>

namespace egress::net {

std::array<std::uint8_t, 32> sha256(std::string_view bytes) {
  std::array<std::uint8_t, 32> out{};
  std::array<unsigned char, SHA256_DIGEST_LENGTH> sum{};
  static_assert(sum.size() == out.size());
  // The one-shot call neither allocates nor fails, unlike EVP_Digest, which needs a fetched algorithm.
  // (Through char pointers: OpenSSL's interface is unsigned char.)
  SHA256(static_cast<const unsigned char*>(static_cast<const void*>(bytes.data())), bytes.size(), sum.data());
  out = sum;
  return out;
}

}  // namespace egress::net
