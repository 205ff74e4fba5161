#include "actors/dns/cacheable.hpp"

#include <gtest/gtest.h>

#include <random>

#include "tests/unit/dns/cache_support.hpp"

namespace egress::dns::test {
namespace {

const ask plain{.name = "www.example.org"};

judged_reply judge(const packet& reply, const ask& what = plain) {
  return judge_reply(asking(what).q, reply);
}
std::uint32_t lifetime(const packet& reply, const ask& what = plain) {
  const auto judged = judge(reply, what);
  return judged.worth == reply_worth::keep ? judged.lifetime : 0;
}

TEST(cacheable, an_answer_lives_as_long_as_its_shortest_record_and_an_hour_at_most) {
  EXPECT_EQ(lifetime(address(plain, 300)), 300u);
  EXPECT_EQ(lifetime(address(plain, 86400)), 3600u);
  EXPECT_EQ(lifetime(upstream_reply{.answers = {{plain.name, rr::cname, 60, {0}}, {"x.org", rr::a, 300}},
                                    .additional = {{"y.org", rr::a, 20}}}
                         .to(plain)),
            20u);
  EXPECT_EQ(judge(address(plain, 300)).kind, cache_kind::success);
}

TEST(cacheable, a_ttl_of_zero_or_with_the_highest_bit_is_not_kept) {
  EXPECT_EQ(judge(address(plain, 0)).worth, reply_worth::forget);
  EXPECT_EQ(judge(address(plain, 0x80000000u)).worth, reply_worth::forget);
}

TEST(cacheable, a_denial_lives_by_its_soa_and_half_an_hour_at_most) {
  EXPECT_EQ(lifetime(denial(plain, 300, 60)), 60u);
  EXPECT_EQ(lifetime(denial(plain, 60, 300)), 60u);
  EXPECT_EQ(lifetime(denial(plain, 86400, 86400)), 1800u);
  EXPECT_EQ(lifetime(denial(plain, 300, 60, 0)), 60u) << "NODATA";
  EXPECT_EQ(judge(denial(plain, 300, 60)).kind, cache_kind::denial);
  EXPECT_EQ(judge(denial(plain, 300, 60, 0)).kind, cache_kind::denial);
  EXPECT_EQ(judge(denial(plain, 300, 0)).worth, reply_worth::forget);
}

TEST(cacheable, an_alias_without_the_asked_type_is_a_denial) {
  const std::vector<rr_text> alias{{plain.name, rr::cname, 60, {0}}};
  const rr_text soa{"org", rr::soa, 300, soa_data(30)};
  EXPECT_EQ(judge(upstream_reply{.answers = alias, .authority = {soa}}.to(plain)).kind, cache_kind::denial);
  EXPECT_EQ(lifetime(upstream_reply{.answers = alias, .authority = {soa}}.to(plain)), 30u);
  const ask for_alias{.name = plain.name, .type = rr::cname};
  EXPECT_EQ(judge(upstream_reply{.answers = alias}.to(for_alias), for_alias).kind, cache_kind::success);
  const ask any{.name = plain.name, .type = rr::any};
  EXPECT_EQ(judge(upstream_reply{.answers = alias}.to(any), any).kind, cache_kind::success);
}

TEST(cacheable, a_denial_without_soa_is_not_kept) {
  EXPECT_EQ(judge(upstream_reply{.code = 3}.to(plain)).worth, reply_worth::forget);
  EXPECT_EQ(judge(upstream_reply{}.to(plain)).worth, reply_worth::forget);
  const auto referral = upstream_reply{.authority = {{"example.org", rr::ns, 300, {0}}}}.to(plain);
  EXPECT_EQ(judge(referral).worth, reply_worth::forget);
  const auto cut_soa = upstream_reply{.authority = {{"org", rr::soa, 300, {0, 0, 1}}}, .code = 3}.to(plain);
  EXPECT_EQ(judge(cut_soa).worth, reply_worth::forget);
}

TEST(cacheable, what_is_neither_answer_nor_denial_is_a_failure) {
  for (const unsigned code : {1u, 2u, 4u, 5u, 9u}) {
    const auto judged = judge(upstream_reply{.code = code}.to(plain));
    EXPECT_EQ(judged.worth, reply_worth::failure) << code;
    EXPECT_EQ(static_cast<unsigned>(judged.code), code);
  }
  EXPECT_EQ(judge({}).worth, reply_worth::failure);
  EXPECT_EQ(judge({}).code, rcode::servfail);
}

TEST(cacheable, what_is_cut_or_malformed_says_nothing) {
  EXPECT_EQ(judge(upstream_reply{.answers = {{plain.name}}, .extra = flag::tc}.to(plain)).worth,
            reply_worth::pass);
  const auto good = upstream_reply{.answers = {{plain.name}}, .opt = false}.to(plain);
  for (std::size_t size = header_size + 1; size < good.size(); ++size)
    EXPECT_EQ(judge(packet(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size))).worth,
              reply_worth::pass)
        << size;
}

TEST(cacheable, the_opt_record_goes_and_the_question_is_lower_case) {
  const ask mixed{.name = "WWW.example.org"};
  const auto judged = judge(upstream_reply{.answers = {{plain.name}}, .additional = {{"x.org"}}}.to(mixed));
  ASSERT_EQ(judged.worth, reply_worth::keep);
  const auto r = read_reply(judged.message);
  EXPECT_FALSE(r.has_opt);
  EXPECT_EQ(r.question, "www.example.org");
  EXPECT_EQ(r.answers.size(), 1u);
  EXPECT_EQ(r.additional.size(), 1u);
}

TEST(cacheable, knows_where_every_ttl_is_those_that_are_capped_first) {
  const auto judged =
      judge(upstream_reply{.answers = {{plain.name, rr::cname, 8, {0}}, {"x.org", rr::a, 9}},
                           .authority = {{"org", rr::ns, 7, {0}}, {"org", rr::soa, 11, soa_data(60)}},
                           .additional = {{"y.org", rr::aaaa, 10, packet(16)}}}
                .to(plain));
  ASSERT_EQ(judged.ttls.size(), 5u);
  EXPECT_EQ(judged.capped_ttls, 4u);
  std::vector<std::uint32_t> told;
  for (const auto at : judged.ttls) told.push_back(load32(&judged.message[at]));
  EXPECT_EQ(told, (std::vector<std::uint32_t>{8, 9, 11, 10, 7}));
}

TEST(cacheable, survives_any_bytes) {
  std::mt19937 random(1);
  const auto good = upstream_reply{.answers = {{plain.name}, {"x.org", rr::cname, 3, {0}}},
                                   .authority = {{"org", rr::soa, 60, soa_data(60)}}}
                        .to(plain);
  int kept = 0;
  for (int i = 0; i < 50'000; ++i) {
    auto p = good;
    for (int change = 0; change < 3; ++change)
      p[2 + random() % (p.size() - 2)] = static_cast<std::uint8_t>(random());
    if (random() % 4 == 0) p.resize(random() % p.size());
    const auto judged = judge(p);
    if (judged.worth != reply_worth::keep) continue;
    ++kept;
    EXPECT_GT(judged.lifetime, 0u);
    for (const auto at : judged.ttls) ASSERT_LE(at + 4u, judged.message.size());
  }
  EXPECT_GT(kept, 1000);
}

}  // namespace
}  // namespace egress::dns::test
