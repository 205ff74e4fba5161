#pragma once
// Reads a reply for tests; throws std::out_of_range on anything malformed, which fails the test.

#include <stdexcept>
#include <string>
#include <vector>

#include "actors/dns/name.hpp"

namespace egress::dns::test {

struct reply_record {
  std::string owner;  // in the case it has on the wire
  bool compressed = false;
  unsigned type = 0;
  std::uint32_t ttl = 0;
  std::vector<std::uint8_t> data;
};

struct reply {
  unsigned id = 0, flags = 0;  // flags without the rcode
  unsigned code = 0;           // with the bits of OPT
  std::string question;
  unsigned type = 0;
  std::vector<reply_record> answers, authority, additional;
  bool has_opt = false, wants_dnssec = false;
  unsigned udp_size = 0;
  std::size_t opt_size = 0;
  int ede = -1;
  std::string why;                   // the text beside it
  std::vector<int> more_edes;        // behind it; usually none
  std::vector<std::uint8_t> cookie;  // of both halves
};

class reply_reader {
 public:
  explicit reply_reader(bytes message) : message_(message.begin(), message.end()) {}

  reply read() {
    reply r;
    r.id = take16();
    r.flags = take16();
    r.code = r.flags & flag::rcode;
    r.flags &= ~static_cast<unsigned>(flag::rcode);
    const unsigned questions = take16(), an = take16(), ns = take16(), ar = take16();
    for (unsigned i = 0; i < questions; ++i) {
      r.question = name(at_);
      r.type = take16();
      take16();
    }
    for (unsigned i = 0; i < an; ++i) r.answers.push_back(record(r));
    for (unsigned i = 0; i < ns; ++i) r.authority.push_back(record(r));
    for (unsigned i = 0; i < ar; ++i) r.additional.push_back(record(r));
    if (at_ != message_.size()) throw std::out_of_range("trailing bytes");
    return r;
  }

 private:
  unsigned take8() { return message_.at(at_++); }
  unsigned take16() {
    const unsigned high = take8();
    return high << 8 | take8();
  }
  std::string name(std::size_t& at) {
    std::string text;
    for (;;) {
      const unsigned size = message_.at(at);
      if (size == 0) return ++at, text;
      if (size >= 0xc0) {
        std::size_t target = (size & 0x3f) << 8 | message_.at(at + 1);
        if (target >= at) throw std::out_of_range("a pointer that leads forward");
        at += 2;
        const auto rest = name(target);
        return text.empty() || rest.empty() ? text + rest : text + "." + rest;
      }
      if (!text.empty()) text += '.';
      for (unsigned i = 1; i <= size; ++i) text += static_cast<char>(message_.at(at + i));
      at += size + 1;
    }
  }
  reply_record record(reply& r) {
    reply_record next;
    next.compressed = message_.at(at_) >= 0xc0;
    next.owner = name(at_);
    next.type = take16();
    const unsigned rr_class = take16();
    const unsigned high = take16();
    next.ttl = high << 16 | take16();
    for (unsigned size = take16(); size > 0; --size) next.data.push_back(static_cast<std::uint8_t>(take8()));
    if (next.type == rr::opt) read_opt(r, next, rr_class);
    return next;
  }
  static void read_opt(reply& r, const reply_record& opt, unsigned rr_class) {
    if (r.has_opt) throw std::out_of_range("two OPT records");
    r.has_opt = true;
    r.udp_size = rr_class;
    r.code |= opt.ttl >> 24 << 4;
    r.wants_dnssec = (opt.ttl & do_bit) != 0;
    r.opt_size = opt.data.size();
    for (bytes left(opt.data); !left.empty();) {
      if (left.size() < 4 || left.size() - 4 < load16(&left[2])) throw std::out_of_range("a cut option");
      const bytes data = left.subspan(4, load16(&left[2]));
      read_option(r, load16(&left[0]), data);
      left = left.subspan(4 + data.size());
    }
  }
  static void read_option(reply& r, unsigned code, bytes data) {
    if (code == 10) r.cookie.assign(data.begin(), data.end());
    if (code != 15) return;
    if (data.size() < 2) throw std::out_of_range("half of an extended error");
    const int said = load16(data.data());
    if (r.ede == said) throw std::out_of_range("an extended error twice");
    if (r.ede != -1) return r.more_edes.push_back(said);
    r.ede = said;
    r.why.assign(data.begin() + 2, data.end());
  }

  std::vector<std::uint8_t> message_;
  std::size_t at_ = 0;
};

inline reply read_reply(bytes message) {
  return reply_reader(message).read();
}

}  // namespace egress::dns::test
