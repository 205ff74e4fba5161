#pragma once
// The numbers of the DNS wire format (RFC 1035, 6891, 8914, 9460) and big-endian access. Pure.

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace egress::dns {

using bytes = std::span<const std::uint8_t>;
using buffer = std::span<std::uint8_t>;

// An address as 16 bytes; IPv4 in its mapped form (::ffff:a.b.c.d), so that both families compare alike.
using address_bytes = std::array<std::uint8_t, 16>;

inline constexpr std::size_t header_size = 12;
// What we say and take over UDP with EDNS (RFC 6891; 1232 fits one IPv6 packet of 1280), and without.
inline constexpr std::size_t edns_udp_size = 1232;
inline constexpr std::size_t plain_udp_size = 512;
inline constexpr std::size_t max_message = 65535;

namespace rr {
inline constexpr std::uint16_t a = 1, ns = 2, cname = 5, soa = 6, ptr = 12, hinfo = 13, mx = 15, txt = 16,
                               aaaa = 28, srv = 33, dname = 39, opt = 41, ds = 43, rrsig = 46, nsec = 47,
                               nsec3 = 50, svcb = 64, https = 65, tkey = 249, tsig = 250, ixfr = 251,
                               axfr = 252, any = 255;
inline constexpr std::uint16_t class_in = 1;

// The types by which a client finds a name's address: itself, behind an alias, or as a hint (RFC 9460).
constexpr bool leads_to_address(std::uint16_t type) {
  return type == a || type == aaaa || type == cname || type == dname || type == https || type == svcb;
}

// Whose TTL --dns-max-ttl bounds: what leads to an address, and what says how long caches believe that there
// is none: a denial's SOA (RFC 2308, section 5), and the proofs of validating resolvers (RFC 8198).
constexpr bool outlives_a_hijack(std::uint16_t type) {
  return leads_to_address(type) || type == soa || type == nsec || type == nsec3;
}
}  // namespace rr

// Options of an OPT record.
namespace option {
inline constexpr std::uint16_t cookie = 10, extended_error = 15;
}

enum class rcode : std::uint8_t {
  noerror = 0,
  formerr = 1,
  servfail = 2,
  nxdomain = 3,
  notimp = 4,
  refused = 5,
  badvers = 16,
};

// Whether a server that says so has answered the question; else another one may know better.
constexpr bool is_answer(rcode code) {
  return code == rcode::noerror || code == rcode::nxdomain;
}
// Whether it complains of how it was asked: by us, so that it is no client's business.
constexpr bool blames_query(rcode code) {
  return code == rcode::formerr || code == rcode::notimp;
}

// Extended DNS errors (RFC 8914, and IANA's registry of them).
enum class ede : std::uint16_t {
  none = 0xffff,
  other = 0,
  stale = 3,
  forged_answer = 4,
  cached_error = 13,
  not_ready = 14,
  prohibited = 18,
  stale_nxdomain = 19,
  not_supported = 21,
  no_reachable_authority = 22,
  network_error = 23,
  synthesized = 29
};

// Bits of the header's second 16-bit word.
namespace flag {
inline constexpr std::uint16_t qr = 0x8000, aa = 0x0400, tc = 0x0200, rd = 0x0100, ra = 0x0080, ad = 0x0020,
                               cd = 0x0010, opcode = 0x7800, rcode = 0x000f;
}
// The DO bit in an OPT record's TTL field.
inline constexpr std::uint16_t do_bit = 0x8000;

inline std::uint16_t load16(const std::uint8_t* from) {
  return static_cast<std::uint16_t>(from[0] << 8 | from[1]);
}
inline std::uint32_t load32(const std::uint8_t* from) {
  return static_cast<std::uint32_t>(load16(from)) << 16 | load16(from + 2);
}
inline void store16(std::uint8_t* to, std::size_t value) {
  to[0] = static_cast<std::uint8_t>(value >> 8);
  to[1] = static_cast<std::uint8_t>(value);
}
inline void store32(std::uint8_t* to, std::uint32_t value) {
  store16(to, value >> 16);
  store16(to + 2, value & 0xffff);
}

}  // namespace egress::dns
