#pragma once
// Writes one answer into a buffer that is known to be large enough (answer_room), and takes no more of it:
// what can be left out is, so that the answer fits the smallest client. Owners are compressed: the question's
// name is always at offset 12. Pure.

#include "actors/dns/opt_record.hpp"

namespace egress::dns {

class answer_writer {
 public:
  // Header, and the question in the client's case. QR and RA are always set, AD never; RD and CD mirror the
  // query's.
  answer_writer(const query& asked, rcode code, std::uint16_t extra_flags, buffer out)
      : asked_(asked), out_(out.first(plain_udp_size)), code_(code) {
    const auto mirrored = static_cast<std::uint16_t>(asked.flags & (flag::opcode | flag::rd | flag::cd));
    store16(&out_[0], asked.id);
    store16(&out_[2], flag::qr | flag::ra | extra_flags | mirrored | (static_cast<unsigned>(code) & 15u));
    std::memset(&out_[4], 0, 8);
    if (asked.question_size == 0) return;
    store16(&out_[4], 1);
    put(asked.question());
  }

  // Owner (the name at this offset of the message), type, class IN, TTL; the data must follow.
  void begin_record(std::size_t owner, std::uint16_t type, std::uint32_t ttl, std::size_t data_size) {
    put16(0xc000 | owner);
    put16(type);
    put16(rr::class_in);
    put32(ttl);
    put16(data_size);
  }
  void answer(std::uint16_t type, std::uint32_t ttl, bytes data) {
    begin_record(header_size, type, ttl, data.size());
    put(data);
    store16(&out_[6], load16(&out_[6]) + 1u);
  }
  // An SRV record. Its target is the end of the question's name from this offset: written whole, as RFC 2782
  // wants it, and as a pointer only where that does not fit.
  void service(std::size_t target, std::uint16_t port, std::uint32_t ttl) {
    const bytes name = bytes(out_).subspan(target, header_size + asked_.name.size - target);
    const bool whole = room() >= record_head + 6 + name.size();
    begin_record(header_size, rr::srv, ttl, 6 + (whole ? name.size() : 2));
    for (const std::uint16_t field : {std::uint16_t{0}, srv_weight, port}) put16(field);
    if (whole)
      put(name);
    else
      put16(0xc000 | target);
    store16(&out_[6], load16(&out_[6]) + 1u);
  }
  // A record that is left out when there is no room for it.
  void additional(std::size_t owner, std::uint16_t type, std::uint32_t ttl, bytes data) {
    if (room() < record_head + data.size()) return;
    begin_record(owner, type, ttl, data.size());
    put(data);
    store16(&out_[10], load16(&out_[10]) + 1u);
  }
  // The SOA of a negative answer (RFC 2308), owned by the name at this offset. Its mname is its owner.
  void soa(std::size_t owner, std::uint32_t ttl) {
    begin_record(owner, rr::soa, ttl, 2 + 1 + 20);
    put16(0xc000 | owner);
    put8(0);
    for (const std::uint32_t field : {1u, 7200u, 1800u, 86400u, ttl}) put32(field);
    store16(&out_[8], 1);
  }
  // OPT, when the client sent one, with `why` in it. Ends the message and gives its size.
  std::size_t finish(const explanation& why) {
    if (!asked_.has_edns) return at_;
    at_ += write_opt(asked_, code_, why, out_.subspan(at_));
    store16(&out_[10], load16(&out_[10]) + 1u);
    return at_;
  }

 private:
  static constexpr std::size_t record_head = 12;  // with a compressed owner
  static constexpr std::uint16_t srv_weight = 100;

  // What is left beside OPT.
  std::size_t room() const { return out_.size() - at_ - opt_size(asked_); }
  void put8(std::uint8_t value) { out_[at_++] = value; }
  void put16(std::size_t value) {
    store16(&out_[at_], value);
    at_ += 2;
  }
  void put32(std::uint32_t value) {
    store32(&out_[at_], value);
    at_ += 4;
  }
  void put(bytes data) {
    assert(at_ + data.size() <= out_.size());
    std::memcpy(&out_[at_], data.data(), data.size());
    at_ += data.size();
  }

  const query& asked_;
  buffer out_;
  std::size_t at_ = header_size;
  rcode code_;
};

}  // namespace egress::dns
