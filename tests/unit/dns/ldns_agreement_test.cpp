// Our parser against ldns on a million generated packets: what we serve, ldns can read, and reads as we do;
// and what ldns reads as one plain question we serve.

#include <gtest/gtest.h>

#include <random>

#include "actors/dns/wire.hpp"
#include "tests/support/sanitized.hpp"
#include "tests/unit/dns/support.hpp"

namespace egress::dns::test {
namespace {

// Some seconds either way.
constexpr int packets = egress::test::sanitized ? 50'000 : 1'000'000;

class packet_maker {
 public:
  explicit packet_maker(std::uint32_t seed) : random_(seed) {}

  unsigned below(std::size_t bound) { return static_cast<unsigned>(random_() % bound); }
  bool one_in(unsigned many) { return below(many) == 0; }

  // A good query of a name in any bytes, often with EDNS, rarely with other records beside it.
  packet good() {
    packet p;
    const bool edns = !one_in(3);
    const unsigned others = one_in(8) ? 1 + below(2) : 0;
    put16(p, below(65536));
    put16(p, static_cast<unsigned>(random_()) & (flag::rd | flag::cd | flag::ad | flag::tc | 0x40));
    for (const unsigned count : {1u, 0u, 0u, others + (edns ? 1u : 0u)}) put16(p, count);
    put_name(p);
    put16(p, one_in(20) ? below(65536) : 1 + below(40));
    put16(p, 1);
    const unsigned opt_at = below(others + 1);
    for (unsigned i = 0; i <= others; ++i) {
      if (edns && i == opt_at) put_opt(p);
      if (i < others) put_record(p);
    }
    return p;
  }
  void change_bytes(packet& p) {
    for (unsigned changes = 1 + below(3); changes > 0; --changes)
      p[below(p.size())] = static_cast<std::uint8_t>(random_());
  }
  void cut(packet& p) { p.resize(below(p.size())); }
  void lengthen(packet& p) {
    for (unsigned more = 1 + below(12); more > 0; --more) p.push_back(static_cast<std::uint8_t>(random_()));
  }
  // Two bytes somewhere behind the header become a pointer to somewhere.
  void point(packet& p) {
    if (p.size() < header_size + 2) return;
    const auto at = header_size + below(p.size() - header_size - 1);
    store16(&p[at], 0xc000u | below(p.size() + 4));
  }
  // The counts say what is not so, or flags do.
  void change_header(packet& p) { p[2 + below(10)] ^= static_cast<std::uint8_t>(1u << below(8)); }
  void add_two_opts(packet& p) {
    put_opt(p);
    put_opt(p);
    store16(&p[10], load16(&p[10]) + 2u);
  }

 private:
  void put_name(packet& p) {
    // As long as a name may be, once in a while.
    std::size_t room = one_in(50) ? 254 : 60;
    for (unsigned labels = below(6); (labels > 0 && room > 2) || room > 200; labels -= labels > 0 ? 1 : 0) {
      const std::size_t size = 1 + below(std::min<std::size_t>(room > 200 ? 63 : 14, room - 1));
      if (size + 1 >= room) break;
      p.push_back(static_cast<std::uint8_t>(size));
      for (std::size_t i = 0; i < size; ++i)
        p.push_back(one_in(30) ? static_cast<std::uint8_t>(random_())
                               : static_cast<std::uint8_t>("abcXYZ019-_"[below(11)]));
      room -= size + 1;
    }
    p.push_back(0);
  }
  void put_opt(packet& p) {
    p.push_back(0);
    put16(p, rr::opt);
    put16(p, below(65536));
    put16(p, 0);
    put16(p, one_in(2) ? do_bit : 0);
    const unsigned options = below(3);
    const auto size_at = p.size();
    put16(p, 0);
    for (unsigned i = 0; i < options; ++i) {
      const unsigned code = one_in(2) ? 8 : 1000 + below(1000), size = below(12);
      put16(p, code);
      put16(p, size);
      for (unsigned k = 0; k < size; ++k) p.push_back(static_cast<std::uint8_t>(random_()));
    }
    store16(&p[size_at], p.size() - size_at - 2);
  }
  // Of a type that ldns does not look into, with an owner that is perhaps compressed.
  void put_record(packet& p) {
    if (one_in(2))
      put16(p, 0xc00c);
    else
      put_name(p);
    put16(p, 60'000 + below(1000));
    put16(p, 1);
    put16(p, 0);
    put16(p, below(3600));
    const unsigned size = below(20);
    put16(p, size);
    for (unsigned k = 0; k < size; ++k) p.push_back(static_cast<std::uint8_t>(random_()));
  }

  std::mt19937 random_;
};

enum class made_how { good, bytes_changed, cut, lengthened, pointed, header_changed, two_opts, count };

packet make(packet_maker& maker, made_how how) {
  auto p = maker.good();
  if (how == made_how::bytes_changed) maker.change_bytes(p);
  if (how == made_how::cut) maker.cut(p);
  if (how == made_how::lengthened) maker.lengthen(p);
  if (how == made_how::pointed) maker.point(p);
  if (how == made_how::header_changed) maker.change_header(p);
  if (how == made_how::two_opts) maker.add_two_opts(p);
  return p;
}

void expect_the_same(const query& ours, const second_opinion& theirs) {
  EXPECT_EQ(theirs.id, ours.id);
  EXPECT_EQ(theirs.questions, 1u);
  EXPECT_EQ(theirs.type, ours.type);
  EXPECT_EQ(theirs.rr_class, ours.rr_class);
  EXPECT_TRUE(std::ranges::equal(theirs.name, ours.question().first(ours.name.size)));
  EXPECT_EQ(theirs.has_edns, ours.has_edns);
  if (!ours.has_edns) return;
  EXPECT_EQ(theirs.udp_size, ours.udp_size);
  EXPECT_EQ(theirs.wants_dnssec, ours.wants_dnssec);
}

// By what ldns says and the header: one uncompressed question of class IN, of a type that is no meta type,
// and nothing beside it.
bool is_plain_question(const packet& p, const second_opinion& theirs) {
  constexpr unsigned meta[] = {rr::opt, rr::tkey, rr::tsig, rr::ixfr, rr::axfr};
  return (load16(&p[2]) & (flag::qr | flag::opcode)) == 0 && load16(&p[4]) == 1 && load32(&p[6]) == 0 &&
         load16(&p[10]) == 0 && theirs.rr_class == rr::class_in &&
         std::ranges::count(meta, theirs.type) == 0 && p.size() == header_size + theirs.name.size() + 4;
}

TEST(ldns, agrees_on_a_million_packets) {
  packet_maker maker(20240501);
  constexpr auto ways = static_cast<std::size_t>(made_how::count);
  std::array<int, ways> served{}, unread{};
  for (int i = 0; i < packets && !HasFailure(); ++i) {
    const auto way = i % 3 == 0 ? 0 : static_cast<std::size_t>(i) % ways;
    const auto p = make(maker, static_cast<made_how>(way));
    query asked;
    const auto judged = parse_query(p, asked);
    const auto theirs = read_with_ldns(p);
    SCOPED_TRACE(i);
    if (theirs && is_plain_question(p, *theirs)) EXPECT_EQ(judged, reaction::serve);
    if (judged != reaction::serve) continue;
    ++served[way];
    if (theirs)
      expect_the_same(asked, *theirs);
    else
      ++unread[way];
  }
  // ldns looks into the data of records beside the question, which mean nothing to us: a changed byte may
  // make it one that it does not take.
  for (std::size_t way = 0; way < ways; ++way)
    std::printf("%zu: %d served, of which ldns could not read %d\n", way, served[way], unread[way]);
  EXPECT_EQ(unread[static_cast<std::size_t>(made_how::good)], 0);
  EXPECT_EQ(served[static_cast<std::size_t>(made_how::two_opts)], 0);
}

}  // namespace
}  // namespace egress::dns::test
