#include "actors/dns/cookie.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

namespace egress::dns {
namespace {

constexpr std::uint64_t seconds_of_day = 86'400;
// RFC 9018, 4.3: older ones are renewed; a clock may be ahead of ours by a little.
constexpr std::int64_t renewed_after = 1'800, ahead_at_most = 300;
constexpr std::size_t client_part = 8;

std::uint64_t load_little(const std::uint8_t* from, std::size_t size) {
  std::uint64_t word = 0;
  for (std::size_t i = size; i-- > 0;) word = word << 8 | from[i];
  return word;
}

struct sip_state {
  std::uint64_t v0, v1, v2, v3;

  void rounds(int count) {
    for (; count > 0; --count) {
      v0 += v1, v1 = std::rotl(v1, 13) ^ v0, v0 = std::rotl(v0, 32);
      v2 += v3, v3 = std::rotl(v3, 16) ^ v2;
      v0 += v3, v3 = std::rotl(v3, 21) ^ v0;
      v2 += v1, v1 = std::rotl(v1, 17) ^ v2, v2 = std::rotl(v2, 32);
    }
  }
  void take(std::uint64_t word) {
    v3 ^= word;
    rounds(2);
    v0 ^= word;
  }
};

}  // namespace

std::uint64_t siphash(bytes message, const cookie_secret& key) {
  const auto k0 = load_little(key.data(), 8), k1 = load_little(&key[8], 8);
  sip_state state{k0 ^ 0x736f6d6570736575u, k1 ^ 0x646f72616e646f6du, k0 ^ 0x6c7967656e657261u,
                  k1 ^ 0x7465646279746573u};
  const auto size = std::uint64_t{message.size()};
  for (; message.size() >= 8; message = message.subspan(8)) state.take(load_little(message.data(), 8));
  state.take(load_little(message.data(), message.size()) | size << 56);
  state.v2 ^= 0xff;
  state.rounds(4);
  return state.v0 ^ state.v1 ^ state.v2 ^ state.v3;
}

cookie_secret secret_of_day(const cookie_secret& root, std::uint64_t day) {
  cookie_secret secret;
  for (std::uint8_t half = 0; half < 2; ++half) {
    std::array<std::uint8_t, 9> named{};
    for (std::size_t i = 0; i < 8; ++i) named[i] = static_cast<std::uint8_t>(day >> 8 * i);
    named[8] = half;
    const auto word = siphash(named, root);
    std::memcpy(&secret[half * 8u], &word, sizeof word);
  }
  return secret;
}

// Version 1, reserved, time, and the hash over all before it and the client's address (RFC 9018, 4).
whole_cookie make_cookie(bytes sent, const address_bytes& client, std::uint32_t when,
                         const cookie_secret& secret) {
  whole_cookie cookie{};
  std::copy_n(sent.begin(), client_part, cookie.begin());
  cookie[client_part] = 1;
  store32(&cookie[12], when);
  constexpr std::array<std::uint8_t, 12> mapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  const bool v4 = std::equal(mapped.begin(), mapped.end(), client.begin());
  const bytes address = v4 ? bytes(client).subspan(12) : bytes(client);
  std::array<std::uint8_t, 32> hashed;
  std::copy_n(cookie.begin(), 16, hashed.begin());
  std::ranges::copy(address, hashed.begin() + 16);
  const auto hash = siphash(bytes(hashed).first(16 + address.size()), secret);
  for (std::size_t i = 0; i < 8; ++i) cookie[16 + i] = static_cast<std::uint8_t>(hash >> 8 * i);
  return cookie;
}

whole_cookie answer_cookie(bytes sent, const address_bytes& client, std::uint64_t now,
                           const cookie_secret& root) {
  const auto today = now / seconds_of_day;
  if (sent.size() == whole_cookie{}.size()) {
    const std::uint32_t when = load32(&sent[12]);
    // Serial arithmetic (RFC 1982): the 32 bits of the time may wrap.
    const std::int64_t age = static_cast<std::int32_t>(static_cast<std::uint32_t>(now) - when);
    if (age < renewed_after && age >= -ahead_at_most)
      for (const auto day : {today, today - 1}) {
        const auto ours = make_cookie(sent, client, when, secret_of_day(root, day));
        if (std::ranges::equal(ours, sent)) return ours;
      }
  }
  return make_cookie(sent, client, static_cast<std::uint32_t>(now), secret_of_day(root, today));
}

}  // namespace egress::dns
