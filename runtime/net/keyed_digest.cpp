#include "runtime/net/keyed_digest.hpp"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#include <cstddef>
#include <memory>
#include <stdexcept>

namespace egress::net {
namespace {

using context = std::unique_ptr<EVP_MAC_CTX, decltype(&EVP_MAC_CTX_free)>;

constexpr std::size_t size = 16;

// What OpenSSL cannot do here it cannot do at all (no provider, no entropy): TLS would not work either.
void must(bool done) {
  if (!done) throw std::runtime_error("OpenSSL gives no SipHash");
}

context keyed() {
  std::array<unsigned char, 16> key{};
  must(RAND_bytes(key.data(), static_cast<int>(key.size())) == 1);
  const std::unique_ptr<EVP_MAC, decltype(&EVP_MAC_free)> siphash{EVP_MAC_fetch(nullptr, "SIPHASH", nullptr),
                                                                  &EVP_MAC_free};
  must(siphash != nullptr);
  context made{EVP_MAC_CTX_new(siphash.get()), &EVP_MAC_CTX_free};
  std::size_t length = size;
  const std::array settings{OSSL_PARAM_construct_size_t(OSSL_MAC_PARAM_SIZE, &length),
                            OSSL_PARAM_construct_end()};
  must(made && EVP_MAC_init(made.get(), key.data(), key.size(), settings.data()) == 1);
  return made;
}

}  // namespace

std::array<std::uint8_t, 16> keyed_digest(std::string_view bytes) {
  static const context with_the_key = keyed();
  const context one{EVP_MAC_CTX_dup(with_the_key.get()), &EVP_MAC_CTX_free};
  std::array<unsigned char, size> sum{};
  std::size_t length = 0;
  // (Through void: OpenSSL's interface is unsigned char.)
  const auto* data = static_cast<const unsigned char*>(static_cast<const void*>(bytes.data()));
  must(one && EVP_MAC_update(one.get(), data, bytes.size()) == 1 &&
       EVP_MAC_final(one.get(), sum.data(), &length, sum.size()) == 1 && length == size);
  return sum;
}

}  // namespace egress::net
