#include "actors/dns/query.hpp"

#include <gtest/gtest.h>

#include <random>

#include "actors/dns/wire.hpp"
#include "tests/unit/dns/support.hpp"

namespace egress::dns::test {
namespace {

reaction judge(const packet& p) {
  query asked;
  return parse_query(p, asked);
}

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

TEST(query, that_could_start_a_loop_or_has_no_header_is_dropped) {
  EXPECT_EQ(judge({}), reaction::drop);
  EXPECT_EQ(judge(packet(11)), reaction::drop);
  EXPECT_EQ(judge(ask{.flags = flag::qr}.make()), reaction::drop);
}

TEST(query, with_another_opcode_is_not_implemented) {
  for (const unsigned opcode : {1u, 2u, 4u, 5u, 6u, 15u})
    EXPECT_EQ(judge(ask{.flags = opcode << 11}.make()), reaction::notimp) << opcode;
}

TEST(query, of_another_class_or_a_meta_type_is_refused) {
  for (const unsigned rr_class : {0u, 3u, 4u, 254u, 255u})
    EXPECT_EQ(judge(ask{.rr_class = rr_class}.make()), reaction::refused) << rr_class;
  for (const unsigned type : {rr::axfr, rr::ixfr, rr::opt, rr::tsig, rr::tkey})
    EXPECT_EQ(judge(ask{.type = type}.make()), reaction::refused) << type;
}

TEST(query, of_an_unknown_edns_version_is_told_so) {
  EXPECT_EQ(judge(ask{.edns = true, .version = 1}.make()), reaction::badvers);
}

TEST(query, that_is_malformed_is_a_format_error) {
  auto with = [](std::size_t at, std::uint8_t value) {
    auto p = ask{}.make();
    p.at(at) = value;
    return p;
  };
  EXPECT_EQ(judge(packet(12)), reaction::formerr) << "a header alone";
  EXPECT_EQ(judge(with(5, 0)), reaction::formerr) << "QDCOUNT 0";
  EXPECT_EQ(judge(with(5, 2)), reaction::formerr) << "QDCOUNT 2";
  EXPECT_EQ(judge(with(7, 1)), reaction::formerr) << "ANCOUNT 1";
  EXPECT_EQ(judge(with(9, 1)), reaction::formerr) << "NSCOUNT 1";
  EXPECT_EQ(judge(with(11, 1)), reaction::formerr) << "ARCOUNT without a record";
  EXPECT_EQ(judge(with(12, 64)), reaction::formerr) << "a label of 64";
  EXPECT_EQ(judge(with(12, 0xc0)), reaction::formerr) << "a pointer";
  auto p = ask{}.make();
  p.push_back(0);
  EXPECT_EQ(judge(p), reaction::formerr) << "trailing bytes";
  p = ask{}.make();
  p.pop_back();
  EXPECT_EQ(judge(p), reaction::formerr) << "a cut class";
  // Pointers to itself, and forward.
  for (const std::uint8_t target : {std::uint8_t{12}, std::uint8_t{14}})
    EXPECT_EQ(judge({0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0xc0, target, 0, 1, 0, 1}), reaction::formerr);
  std::string longest;
  for (int i = 0; i < 4; ++i) longest += std::string(63, 'a') + (i < 3 ? "." : "");
  EXPECT_EQ(judge(ask{.name = longest}.make()), reaction::formerr) << "257 bytes";
}

TEST(query, with_two_opt_records_or_a_broken_one_is_a_format_error) {
  auto p = ask{.edns = true}.make();
  const packet opt(p.end() - 11, p.end());
  p.insert(p.end(), opt.begin(), opt.end());
  p[11] = 2;
  EXPECT_EQ(judge(p), reaction::formerr) << "two OPT";
  EXPECT_EQ(judge(ask{.edns = true, .options = {0, 10, 0, 8, 1}}.make()), reaction::formerr)
      << "a cut option";
  EXPECT_EQ(judge(ask{.edns = true, .options = {0, 10, 0, 1, 1}}.make()), reaction::formerr)
      << "a short cookie";
  EXPECT_EQ(judge(ask{.edns = true, .options = {0, 8, 0, 1, 1}}.make()), reaction::serve)
      << "any other option";
}

TEST(query, may_have_zeros_and_dots_inside_labels) {
  EXPECT_EQ(judge({0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 3, 0, '.', 0xff, 0, 0, 1, 0, 1}), reaction::serve);
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
