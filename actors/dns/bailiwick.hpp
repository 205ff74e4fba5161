#pragma once
// What of an upstream's reply belongs to its question (RFC 2181, 5.4.1): the rest may be somebody's attempt
// to have us, or a cache in front, believe in it. Pure.

#include <optional>
#include <vector>

#include "actors/dns/query.hpp"

namespace egress::dns {

// More aliases behind each other are a loop, or are meant to cost us.
inline constexpr std::size_t most_aliases = 16;

// The reply without the records that its question does not lead to. These stay:
//   answers of the question's name and of the names its CNAMEs lead to, and the DNAMEs above them for those
//   who asked with DO: they prove a CNAME, which is there, and others would make up aliases of their own from
//   them for names beside it, hijacked ones among them;
//   SOA, NS and DS of names at or above one of these, and proofs (NSEC, NSEC3, RRSIG) for those who asked for
//   them with DO: they are believed by their signature, not by their place;
//   additional addresses of names that a record which stays points at.
// Views `reply` when all stays, else `room`. Nothing when a record is malformed, or more than 16 aliases
// follow each other.
std::optional<bytes> in_bailiwick(const query& asked, bytes reply, std::vector<std::uint8_t>& room);

}  // namespace egress::dns
