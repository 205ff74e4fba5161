#include "actors/dns/cached_answer.hpp"

#include <gtest/gtest.h>

#include "tests/unit/dns/cache_support.hpp"

namespace egress::dns::test {
namespace {

const ask plain{.name = "www.example.org"};
const ask text{.name = "www.example.org", .type = rr::txt};

TEST(cached_answer, has_the_clients_id_question_and_flags) {
  timed_cache c;
  c.learn(plain, upstream_reply{.answers = {{plain.name}}, .extra = flag::aa}.to(plain));
  const auto r = c.said({.name = "wWw.Example.org", .id = 0xbeef, .flags = 0});
  EXPECT_EQ(r.id, 0xbeefu);
  EXPECT_EQ(r.question, "wWw.Example.org");
  EXPECT_EQ(r.flags, flag::qr | flag::ra) << "no AA, no RD";
  EXPECT_EQ(r.answers.at(0).data, (packet{192, 0, 2, 1}));
  EXPECT_FALSE(r.has_opt);
  EXPECT_EQ(c.last.code, rcode::noerror);
}

TEST(cached_answer, has_ra_though_the_upstream_had_none) {
  timed_cache c;
  const auto without_ra = [](packet reply) {
    store16(&reply[2], load16(&reply[2]) & ~std::size_t{flag::ra});
    return reply;
  };
  const ask other_type{.name = "example.com", .type = rr::txt}, gone{.name = "gone.org"};
  const ask failing{.name = "failing.org"};
  c.learn(plain, without_ra(address(plain)));
  c.learn(other_type, without_ra(address(other_type)));
  c.learn(gone, without_ra(denial(gone, 300, 60)));
  c.learn(failing, without_ra(upstream_reply{.code = 5}.to(failing)));
  for (const auto& what : {plain, other_type, gone, failing})
    EXPECT_TRUE(c.said(what).flags & flag::ra) << what.name;
  c.now += seconds{301};
  for (const auto& what : {plain, other_type}) {
    EXPECT_TRUE(c.said(what).flags & flag::ra) << "stale: " << what.name;
    EXPECT_EQ(c.find(what).state, cache_state::stale);
  }
}

TEST(cached_answer, counts_ttls_down_and_caps_those_of_what_leads_to_an_address) {
  timed_cache c;
  c.learn(plain, upstream_reply{.answers = {{plain.name, rr::cname, 200, {0}}, {"x.org", rr::a, 100}},
                                .authority = {{"org", rr::ns, 200, {0}}}}
                     .to(plain));
  c.now += milliseconds{2500};
  const auto r = c.said(plain);
  EXPECT_EQ(r.authority.at(0).ttl, 198u);
  EXPECT_EQ(r.answers.at(0).ttl, 30u);
  EXPECT_EQ(r.answers.at(1).ttl, 30u);
  c.now += seconds{90};
  EXPECT_EQ(c.said(plain).answers.at(1).ttl, 8u);
  c.now += milliseconds{7499};
  EXPECT_EQ(c.said(plain).answers.at(1).ttl, 1u);
}

TEST(cached_answer, is_no_older_than_it_is_when_the_batch_began_before_it_came) {
  timed_cache c;
  c.learn(text, upstream_reply{.answers = {{text.name, rr::txt, 60, {1, 'x'}}}}.to(text));
  c.now -= milliseconds{1500};
  EXPECT_EQ(c.said(text).answers.at(0).ttl, 60u);
}

TEST(cached_answer, has_no_real_address_of_a_hijacked_host_beside_it) {
  timed_cache c;
  const ask mail{.name = "example.org", .type = rr::mx};
  const rr_text answer{mail.name, rr::mx, 60, {0, 1, 0}};
  c.learn(mail,
          upstream_reply{.answers = {answer}, .additional = {{"mail.example.org", rr::a, 20}}}.to(mail));
  c.now += seconds{5};
  const auto passed = c.said(mail);
  EXPECT_EQ(passed.answers.at(0).ttl, 55u);
  EXPECT_EQ(passed.additional.at(0).ttl, 15u);
  const ask other{.name = "example.net", .type = rr::mx};
  c.learn(other, upstream_reply{.answers = {answer}, .additional = {{"example.com", rr::a, 20}}}.to(other));
  EXPECT_EQ(c.said(other).answers.size(), 1u);
  EXPECT_TRUE(c.said(other).additional.empty());
}

TEST(cached_answer, that_is_cut_is_cut_whatever_stands_behind_it) {
  timed_cache c;
  const ask mail{.name = "example.org", .type = rr::mx};
  std::vector<rr_text> many(100, {mail.name, rr::mx, 60, {0, 1, 0}});
  c.learn(mail, upstream_reply{.answers = many, .additional = {{"mail.example.org", rr::a, 20}}}.to(mail));
  const auto cut = c.said(mail);
  EXPECT_TRUE(cut.flags & flag::tc);
  EXPECT_TRUE(cut.answers.empty() && cut.additional.empty());
}

TEST(cached_answer, is_not_cut_for_what_is_only_added) {
  timed_cache c;
  const ask mail{.name = "example.org", .type = rr::mx};
  std::vector<rr_text> hosts;
  for (int i = 0; i < 20; ++i) hosts.push_back({"mail" + std::to_string(i) + ".example.org", rr::a, 20});
  c.learn(mail,
          upstream_reply{.answers = {{mail.name, rr::mx, 60, {0, 1, 0}}}, .additional = hosts}.to(mail));
  EXPECT_EQ(c.said(mail, 4096).additional.size(), 20u);
  const auto small = c.said(mail);
  EXPECT_EQ(small.flags & flag::tc, 0u);
  EXPECT_EQ(small.answers.size(), 1u);
  EXPECT_TRUE(small.additional.empty());
}

TEST(cached_answer, of_a_denial_has_the_bounded_soa) {
  timed_cache c;
  c.learn(plain, denial(plain, 300, 60));
  c.now += seconds{10};
  const auto r = c.said(plain);
  EXPECT_EQ(r.code, 3u);
  EXPECT_EQ(r.authority.at(0).ttl, 30u);
  EXPECT_EQ(c.last.code, rcode::nxdomain);
}

TEST(cached_answer, has_opt_for_who_sent_one) {
  timed_cache c;
  c.learn(plain, address(plain));
  const auto r = c.said({.name = plain.name, .edns = true});
  EXPECT_TRUE(r.has_opt);
  EXPECT_EQ(r.udp_size, edns_udp_size);
  EXPECT_FALSE(r.wants_dnssec);
  EXPECT_EQ(r.ede, -1);
}

TEST(cached_answer, shows_ad_only_to_who_asked_with_do_or_ad) {
  timed_cache c;
  const auto signed_reply = upstream_reply{.answers = {{plain.name}}, .extra = flag::ad};
  const ask with_do{.name = plain.name, .edns = true, .dnssec = true};
  c.learn(plain, signed_reply.to(plain));
  c.learn(with_do, signed_reply.to(with_do));
  EXPECT_EQ(c.said(plain).flags & flag::ad, 0u);
  EXPECT_NE(c.said({.name = plain.name, .flags = flag::rd | flag::ad}).flags & flag::ad, 0u);
  const auto r = c.said(with_do);
  EXPECT_NE(r.flags & flag::ad, 0u);
  EXPECT_TRUE(r.wants_dnssec);
}

TEST(cached_answer, that_does_not_fit_is_cut) {
  timed_cache c;
  std::vector<rr_text> many;
  for (std::uint8_t i = 0; i < 40; ++i) many.push_back({text.name, rr::txt, 60, {2, 'x', i}});
  c.learn(text, upstream_reply{.answers = many}.to(text));
  const auto cut = c.said(text);
  EXPECT_NE(cut.flags & flag::tc, 0u);
  EXPECT_TRUE(cut.answers.empty());
  EXPECT_EQ(cut.question, text.name);
  const ask large{.name = text.name, .type = rr::txt, .edns = true};
  EXPECT_NE(c.said(large).flags & flag::tc, 0u) << "1232 is too little, too";
  const auto whole = c.said(large, 4096);
  EXPECT_EQ(whole.flags & flag::tc, 0u);
  EXPECT_EQ(whole.answers.size(), 40u);
  EXPECT_TRUE(whole.has_opt);
}

TEST(cached_answer, fits_to_the_last_byte) {
  timed_cache c;
  c.learn(text, upstream_reply{.answers = {{text.name, rr::txt, 60, packet(600)}}}.to(text));
  const ask with_opt{.name = text.name, .type = rr::txt, .edns = true};
  c.said(with_opt);
  const std::size_t exact = c.last.size;
  EXPECT_EQ(c.said(with_opt, exact).flags & flag::tc, 0u);
  EXPECT_NE(c.said(with_opt, exact - 1).flags & flag::tc, 0u);
}

TEST(cached_answer, is_not_cut_for_want_of_room_to_say_that_it_is_stale) {
  timed_cache c;
  const ask with_opt{.name = text.name, .type = rr::txt, .edns = true};
  c.learn(text, upstream_reply{.answers = {{text.name, rr::txt, 60, packet(600)}}}.to(text));
  c.said(with_opt);
  const std::size_t exact = c.last.size;
  c.now += seconds{61};
  EXPECT_EQ(c.said(with_opt, exact + 6).ede, 3);
  const auto r = c.said(with_opt, exact + 5);
  EXPECT_EQ(r.flags & flag::tc, 0u);
  EXPECT_EQ(r.answers.size(), 1u);
  EXPECT_EQ(r.ede, -1);
}

TEST(cached_answer, that_is_stale_says_so) {
  timed_cache c;
  const ask with_opt{.name = plain.name, .flags = flag::rd | flag::ad, .edns = true};
  c.learn(plain, upstream_reply{.answers = {{plain.name}}, .extra = flag::ad}.to(plain));
  c.now += seconds{301};
  const auto r = c.said(with_opt);
  EXPECT_EQ(r.ede, 3);
  EXPECT_EQ(r.why, "expired: no upstream has answered since");
  EXPECT_EQ(r.answers.at(0).ttl, stale_ttl);
  EXPECT_EQ(r.flags & flag::ad, 0u);
  c.learn(plain, denial(plain, 60, 60));
  c.now += seconds{61};
  c.learn(plain, {});
  EXPECT_EQ(c.said(with_opt).ede, 19);
  EXPECT_EQ(c.said(with_opt).why, "expired: no upstream has answered since");
  EXPECT_EQ(c.said(with_opt).code, 3u);
  c.options.max_ttl = 5;
  c.learn(plain, address(plain));
  c.now += seconds{301};
  EXPECT_EQ(c.said(plain).answers.at(0).ttl, 5u) << "--dns-max-ttl still is the most";
}

// A name that is not there now may be hijacked in a moment.
TEST(cached_answer, that_denies_is_told_with_the_most_that_a_hijack_may_take) {
  timed_cache c;
  c.learn(plain, denial(plain, 600, 300));
  const auto soa_ttl = [&] { return c.said(plain).authority.at(0).ttl; };
  EXPECT_EQ(soa_ttl(), 30u);
  c.now += seconds{280};
  EXPECT_EQ(soa_ttl(), 20u);
}

TEST(cached_answer, of_a_failure_is_the_failure) {
  timed_cache c;
  const ask with_opt{.name = plain.name, .edns = true};
  c.learn(plain, {});
  EXPECT_EQ(c.said(with_opt).code, 2u);
  EXPECT_EQ(c.said(with_opt).ede, 13);
  EXPECT_EQ(c.said(with_opt).why, "the upstreams failed a moment ago");
  c.now += seconds{2};
  c.learn(plain, upstream_reply{.code = 5}.to(plain));
  EXPECT_EQ(c.said(with_opt).code, 5u);
  EXPECT_EQ(c.said(with_opt).question, plain.name);
  c.now += seconds{5};
  for (const unsigned code : {1u, 4u}) {
    c.learn(plain, upstream_reply{.code = code}.to(plain));
    EXPECT_EQ(c.said(with_opt).code, 2u) << "our query was wrong, not the client's";
    c.now += seconds{5};
  }
}

// The rules for names that the table has are the same whether the upstream or the cache speaks.
TEST(cached_answer, to_another_type_of_a_hijacked_name_has_no_alias) {
  timed_cache c;
  const ask mx{.name = "example.com", .type = rr::mx, .edns = true};
  const packet data{0, 10, 0};
  c.learn(mx,
          upstream_reply{.answers = {{mx.name, rr::cname, 60, {1, 'x', 0}}, {"x", rr::mx, 60, data}}}.to(mx));
  c.now += seconds{20};
  auto r = c.said(mx);
  ASSERT_EQ(r.answers.size(), 1u);
  EXPECT_EQ(r.answers[0].owner, "example.com");
  EXPECT_EQ(r.answers[0].ttl, 30u) << "as long as the alias, which would have been told with that";
  EXPECT_EQ(r.ede, 4);
  EXPECT_TRUE(r.more_edes.empty());
  EXPECT_TRUE(c.last.rewritten);
  c.now += seconds{50};
  r = c.said(mx);
  EXPECT_EQ(r.ede, 4);
  EXPECT_EQ(r.why, "ExternalService ex");
  EXPECT_EQ(r.more_edes, (std::vector{3})) << "stale, too";
  EXPECT_EQ(c.said({.name = mx.name, .type = rr::mx}).answers.size(), 1u) << "without EDNS";
  c.learn(mx, denial(mx, 60, 60));
  r = c.said(mx);
  EXPECT_EQ(r.code, 0u) << "never NXDOMAIN";
  EXPECT_EQ(r.authority.at(0).ttl, 5u);
  EXPECT_TRUE(c.last.hijacked);
}

// First whose it is, then that it is stale; neither for more than the client takes.
TEST(cached_answer, that_is_forged_and_stale_says_as_much_as_fits) {
  int both = 0, one = 0, none = 0;
  for (std::size_t size = 380; size < 480; ++size) {
    timed_cache c;
    const ask txt{.name = "example.com", .type = rr::txt, .edns = true, .udp_size = 512};
    packet data(size);
    data[0] = 255;
    data[256] = static_cast<std::uint8_t>(size - 257);
    c.learn(txt,
            upstream_reply{.answers = {{txt.name, rr::cname, 60, {1, 'x', 0}}, {"x", rr::txt, 60, data}}}.to(
                txt));
    c.now += seconds{61};
    const auto r = c.said(txt);
    ASSERT_LE(c.last.size, plain_udp_size);
    if ((r.flags & flag::tc) != 0) continue;
    EXPECT_TRUE(r.ede == -1 || r.ede == 4) << size;
    ++(!r.more_edes.empty() ? both : r.ede == 4 ? one : none);
  }
  EXPECT_GT(both, 0);
  EXPECT_GT(one, 0);
  EXPECT_GT(none, 0);
}

TEST(cached_answer, below_a_wildcard_is_ours_unless_there_is_no_such_name) {
  timed_cache c;
  const ask below{.name = "a.wild.example.com"};
  c.learn(below, address(below));
  EXPECT_EQ(c.said(below).answers.at(0).data, (packet{10, 0, 0, 3}));
  EXPECT_TRUE(c.last.hijacked);
  c.learn(below, denial(below, 60, 60));
  EXPECT_EQ(c.said(below).code, 3u);
  EXPECT_FALSE(c.last.hijacked);
  const ask failing{.name = "b.wild.example.com"};
  c.learn(failing, {});
  EXPECT_EQ(c.said(failing).answers.at(0).data, (packet{10, 0, 0, 3}));
  const ask other{.name = "b.wild.example.com", .type = rr::txt};
  c.learn(other, {});
  EXPECT_EQ(c.said(other).code, 2u);
}

TEST(cached_answer, below_a_wildcard_is_ours_where_only_an_alias_s_target_is_missing) {
  timed_cache c;
  for (const unsigned type : {rr::a, rr::mx}) {
    const ask below{.name = "a.wild.example.com", .type = type};
    c.learn(below, upstream_reply{.answers = {{below.name, rr::cname, 60, name_in_case("gone.org")}},
                                  .authority = {{"org", rr::soa, 60, soa_data(60)}},
                                  .code = 3}
                       .to(below));
    const auto said = c.said(below);
    EXPECT_EQ(said.code, 0u);
    EXPECT_TRUE(c.last.hijacked);
    EXPECT_EQ(said.answers.size(), type == rr::a ? 1u : 0u);
  }
}

}  // namespace
}  // namespace egress::dns::test
