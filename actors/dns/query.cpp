#include "actors/dns/query.hpp"

#include <cstring>

namespace egress::dns {
namespace {

// Lower-cased, in steps of 16 bytes, which the compiler makes one instruction of each; the last step may go
// over some bytes again.
void copy_lower(const std::uint8_t* from, std::size_t size, std::uint8_t* to) {
  constexpr std::size_t step = 16;
  const auto copy = [&](std::size_t at) {
    std::array<std::uint8_t, step> part;
    std::memcpy(part.data(), from + at, step);
    for (auto& c : part) c = to_lower(c);
    std::memcpy(to + at, part.data(), step);
  };
  if (size < step) {
    for (std::size_t i = 0; i < size; ++i) to[i] = to_lower(from[i]);
    return;
  }
  for (std::size_t at = 0; at + step < size; at += step) copy(at);
  copy(size - step);
}

// Copies the question's name, lower-cased. False when it is malformed.
bool read_name(bytes packet, wire_name& name) {
  const auto size = plain_name_size(packet, header_size);
  if (!size) return false;
  const std::uint8_t* from = packet.data() + header_size;
  name.size = static_cast<std::uint8_t>(*size);
  copy_lower(from, *size, name.data.data());
  name.labels = 0;
  for (std::size_t at = 0; from[at] != 0; at += from[at] + 1u) ++name.labels;
  return true;
}

// Walks the options of an OPT record. False when one is cut, or a cookie has a length RFC 7873 forbids.
bool read_options(bytes options, query& into) {
  while (!options.empty()) {
    if (options.size() < 4) return false;
    const std::size_t size = load16(&options[2]);
    if (options.size() < 4 + size) return false;
    if (load16(&options[0]) == option::cookie) {
      if (size != 8 && (size < 16 || size > 40)) return false;
      if (into.client_cookie.empty()) into.client_cookie = options.subspan(4, size);
    }
    options = options.subspan(4 + size);
  }
  return true;
}

// One record of the additional section at `at`, which moves behind it. Only OPT means anything to us.
bool read_record(bytes packet, std::size_t& at, query& into) {
  const bool root = at < packet.size() && packet[at] == 0;
  const auto fixed = skip_name(packet, at);
  if (!fixed || packet.size() - *fixed < 10) return false;
  const std::uint8_t* record = packet.data() + *fixed;
  const std::size_t size = load16(record + 8);
  at = *fixed + 10;
  if (packet.size() - at < size) return false;
  const bytes data = packet.subspan(at, size);
  at += size;
  if (load16(record) != rr::opt) return true;
  if (into.has_edns || !root) return false;
  into.has_edns = true;
  into.udp_size = load16(record + 2);
  into.edns_version = record[5];
  into.wants_dnssec = (load16(record + 6) & do_bit) != 0;
  return read_options(data, into);
}

bool is_meta_type(std::uint16_t type) {
  return type == rr::axfr || type == rr::ixfr || type == rr::opt || type == rr::tsig || type == rr::tkey;
}

// What is not served may hold what we do not know (IXFR an SOA, UPDATE anything): it is answered with OPT, as
// RFC 6891 (6.1.1) wants it, when its own can be read.
void read_edns_of_unserved(bytes packet, std::size_t at, query& into) {
  const std::size_t records = load16(&packet[6]) + std::size_t{load16(&packet[8])} + load16(&packet[10]);
  for (std::size_t i = 0; i < records; ++i)
    if (!read_record(packet, at, into)) {
      into.has_edns = false;
      into.client_cookie = {};
      return;
    }
}

void read_edns_behind_questions(bytes packet, query& into) {
  std::size_t at = header_size;
  for (std::size_t left = load16(&packet[4]); left > 0; --left) {
    const auto end = skip_name(packet, at);
    if (!end || packet.size() - *end < 4) return;
    at = *end + 4;
  }
  read_edns_of_unserved(packet, at, into);
}

}  // namespace

reaction parse_query(bytes packet, query& into) {
  into.packet = packet;
  into.question_size = 0;
  into.has_edns = into.wants_dnssec = false;
  into.udp_size = plain_udp_size;
  into.client_cookie = {};
  into.has_answer_cookie = false;
  if (packet.size() < header_size) return reaction::drop;
  into.id = load16(&packet[0]);
  into.flags = load16(&packet[2]);
  if (into.has(flag::qr)) return reaction::drop;
  const bool other_opcode = into.has(flag::opcode);
  if (other_opcode || load16(&packet[4]) != 1) {
    read_edns_behind_questions(packet, into);
    return other_opcode ? reaction::notimp : reaction::formerr;
  }
  if (!read_name(packet, into.name)) return reaction::formerr;
  std::size_t at = header_size + into.name.size;
  if (packet.size() - at < 4) return reaction::formerr;
  into.type = load16(&packet[at]);
  into.rr_class = load16(&packet[at + 2]);
  at += 4;
  into.question_size = static_cast<std::uint16_t>(at - header_size);
  if (is_meta_type(into.type)) {
    read_edns_of_unserved(packet, at, into);
    return reaction::refused;
  }
  if (load16(&packet[6]) != 0 || load16(&packet[8]) != 0) {
    read_edns_of_unserved(packet, at, into);
    return reaction::formerr;
  }
  for (std::size_t left = load16(&packet[10]); left > 0; --left)
    if (!read_record(packet, at, into)) return reaction::formerr;
  if (at != packet.size()) return reaction::formerr;
  if (into.has_edns && into.edns_version != 0) return reaction::badvers;
  if (into.rr_class != rr::class_in) return reaction::refused;
  return reaction::serve;
}

}  // namespace egress::dns
