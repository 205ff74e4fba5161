#include "actors/dns/query.hpp"

#include <gtest/gtest.h>

#include <random>

#include "actors/dns/wire.hpp"
#include "tests/unit/dns/support.hpp"

namespace egress::dns::test {
namespace {

TEST(query, is_read_whole) {
  const auto p = ask{.name = "WwW.Example.com",
                     .type = rr::aaaa,
                     .id = 7,
                     .flags = flag::rd | flag::cd,
                     .edns = true,
                     .dnssec = true,
                     .udp_size = 4096}
                     .make();
  query asked;
  ASSERT_EQ(parse_query(p, asked), reaction::serve);
  EXPECT_EQ(asked.id, 7);
  EXPECT_EQ(asked.type, rr::aaaa);
  EXPECT_EQ(to_text(asked.name.view()), "www.example.com");
  EXPECT_EQ(asked.name.labels, 3);
  EXPECT_TRUE(asked.has(flag::cd));
  EXPECT_TRUE(asked.has_edns && asked.wants_dnssec);
  EXPECT_EQ(asked.limit(transport::udp), edns_udp_size);
  EXPECT_EQ(asked.limit(transport::tcp), max_message);
}

TEST(query, without_edns_takes_512_bytes_and_never_less) {
  query asked;
  parse_query(ask{}.make(), asked);
  EXPECT_EQ(asked.limit(transport::udp), 512u);
  const auto small = ask{.edns = true, .udp_size = 100}.make();
  parse_query(small, asked);
  EXPECT_EQ(asked.limit(transport::udp), 512u);
}

packet random_query(std::mt19937& random) {
  std::string name;
  for (unsigned labels = random() % 5; labels > 0; --labels) {
    for (unsigned size = 1 + random() % 12; size > 0; --size) name += "abcXYZ019-_"[random() % 11];
    if (labels > 1) name += '.';
  }
  return ask{.name = name,
             .type = static_cast<unsigned>(1 + random() % 40),
             .id = static_cast<unsigned>(random() & 0xffff),
             .flags = static_cast<unsigned>(random() & (flag::rd | flag::cd | flag::ad)),
             .edns = random() % 2 == 0,
             .dnssec = random() % 2 == 0,
             .udp_size = static_cast<unsigned>(random() & 0xffff)}
      .make();
}

// Where both read a packet they read the same; and what we serve, ldns can read.
TEST(query, is_read_as_ldns_reads_it) {
  std::mt19937 random(20240501);
  int served = 0;
  for (int i = 0; i < 100'000; ++i) {
    auto p = random_query(random);
    if (i % 2 == 1)
      for (unsigned changes = 1 + random() % 3; changes > 0; --changes)
        p[random() % p.size()] = static_cast<std::uint8_t>(random());
    query asked;
    if (parse_query(p, asked) != reaction::serve) {
      ASSERT_EQ(i % 2, 1) << "a good query was not served";
      continue;
    }
    ++served;
    const auto theirs = read_with_ldns(p);
    // ldns does not take compression inside the data of some types, which we never look into.
    if (!theirs && load16(&p[10]) != 0 && i % 2 == 1) continue;
    ASSERT_TRUE(theirs) << i;
    ASSERT_EQ(theirs->id, asked.id);
    ASSERT_EQ(theirs->questions, 1u);
    ASSERT_EQ(theirs->type, asked.type);
    ASSERT_EQ(theirs->rr_class, asked.rr_class);
    ASSERT_TRUE(std::ranges::equal(theirs->name, asked.question().first(asked.name.size)));
    if (asked.has_edns) {
      ASSERT_TRUE(theirs->has_edns);
      ASSERT_EQ(theirs->udp_size, asked.udp_size);
      ASSERT_EQ(theirs->wants_dnssec, asked.wants_dnssec);
    }
  }
  EXPECT_GT(served, 60'000);
}

}  // namespace
}  // namespace egress::dns::test
