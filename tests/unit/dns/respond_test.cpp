// The DNS rules, a test a rule: bytes in, bytes out, read back by ldns' rules through a small reader.
#include "actors/dns/respond.hpp"

#include <gtest/gtest.h>

#include <random>

#include "tests/unit/dns/reply_reader.hpp"
#include "tests/unit/dns/support.hpp"

namespace egress::dns::test {
namespace {

struct answer {
  outcome made;
  reply said;
};

answer respond_to(const packet& p, const hijack_table* table, bool allowed = true) {
  std::array<std::uint8_t, answer_room> out{};
  query asked;
  const reaction judged = parse_query(p, asked);
  answer result{respond(asked, judged, allowed, table, {.ttl = 5}, out), {}};
  if (result.made.what == action::answered) result.said = read_reply(bytes(out).first(result.made.size));
  return result;
}
answer respond_to(const ask& what) {
  static const auto table = sample_table();
  return respond_to(what.make(), table.get());
}

void expect_nodata(const answer& got, const std::string& owner) {
  ASSERT_EQ(got.made.what, action::answered);
  EXPECT_EQ(got.said.code, 0u);
  EXPECT_TRUE(got.said.answers.empty());
  ASSERT_EQ(got.said.authority.size(), 1u);
  const auto& soa = got.said.authority[0];
  EXPECT_EQ(soa.type, rr::soa);
  EXPECT_EQ(soa.owner, owner);
  EXPECT_EQ(soa.ttl, 5u);
  EXPECT_EQ(load32(&soa.data[soa.data.size() - 4]), 5u) << "minimum";
}

TEST(respond, gives_the_gateways_address_in_the_questions_case) {
  const auto got = respond_to(ask{.name = "eXample.COM"});
  ASSERT_EQ(got.made.what, action::answered);
  EXPECT_TRUE(got.made.hijacked);
  EXPECT_EQ(got.said.id, 0x1234);
  EXPECT_EQ(got.said.question, "eXample.COM");
  ASSERT_EQ(got.said.answers.size(), 1u);
  EXPECT_EQ(got.said.answers[0].owner, "eXample.COM");
  EXPECT_TRUE(got.said.answers[0].compressed);
  EXPECT_EQ(got.said.answers[0].ttl, 5u);
  EXPECT_EQ(got.said.answers[0].data, (packet{10, 0, 0, 1}));
  EXPECT_EQ(respond_to(ask{.type = rr::aaaa}).said.answers.at(0).data.size(), 16u);
}

TEST(respond, sets_ra_and_aa_never_ad_and_mirrors_rd_and_cd) {
  for (const unsigned asked :
       {0u, unsigned{flag::rd}, unsigned{flag::cd}, unsigned{flag::rd | flag::cd | flag::ad}}) {
    const auto got = respond_to(ask{.flags = asked});
    EXPECT_EQ(got.said.flags, (flag::qr | flag::ra | flag::aa | (asked & (flag::rd | flag::cd))));
  }
}

TEST(respond, says_nodata_for_what_would_lead_around_the_gateway) {
  for (const unsigned type : {rr::https, rr::svcb, rr::cname, rr::dname}) {
    SCOPED_TRACE(type);
    expect_nodata(respond_to(ask{.type = type}), "example.com");
  }
  expect_nodata(respond_to(ask{.name = "v4only.example.com", .type = rr::aaaa}), "v4only.example.com");
  expect_nodata(respond_to(ask{.name = "_8443._https.Example.com", .type = rr::https}),
                "_8443._https.Example.com");
  EXPECT_EQ(respond_to(ask{.name = "_8443._https.example.com", .type = rr::txt}).made.what, action::forward);
  EXPECT_EQ(respond_to(ask{.name = "www.example.com", .type = rr::https}).made.what, action::forward);
}

TEST(respond, answers_any_with_hinfo) {
  const auto got = respond_to(ask{.type = rr::any});
  ASSERT_EQ(got.said.answers.size(), 1u);
  EXPECT_EQ(got.said.answers[0].type, rr::hinfo);
  EXPECT_EQ(got.said.answers[0].data, (packet{7, 'R', 'F', 'C', '8', '4', '8', '2', 0}));
}

TEST(respond, forwards_other_types_of_a_hijacked_name_for_cleaning) {
  for (const unsigned type : {rr::txt, rr::mx, rr::srv, rr::ns, rr::ds, std::uint16_t{999}})
    EXPECT_EQ(respond_to(ask{.type = type}).made.how, forward_kind::hijacked_other) << type;
}

TEST(respond, asks_the_real_name_first_below_a_wildcard) {
  EXPECT_EQ(respond_to(ask{.name = "x.wild.example.com"}).made.how, forward_kind::wildcard);
  EXPECT_EQ(respond_to(ask{.name = "y.x.wild.example.com", .type = rr::txt}).made.how,
            forward_kind::wildcard_other);
  EXPECT_EQ(respond_to(ask{.name = "wild.example.com"}).made.how, forward_kind::plain);
}

TEST(respond, mirrors_do_and_explains_the_missing_signature) {
  const auto plain = respond_to(ask{});
  EXPECT_FALSE(plain.said.has_opt);
  const auto edns = respond_to(ask{.edns = true});
  EXPECT_TRUE(edns.said.has_opt);
  EXPECT_EQ(edns.said.udp_size, edns_udp_size);
  EXPECT_FALSE(edns.said.wants_dnssec);
  EXPECT_EQ(edns.said.ede, 4);
  const auto dnssec = respond_to(ask{.edns = true, .dnssec = true});
  EXPECT_TRUE(dnssec.said.wants_dnssec);
  EXPECT_EQ(dnssec.said.ede, 4);
}

TEST(respond, echoes_no_option) {
  const auto got = respond_to(ask{.edns = true, .options = {0, 8, 0, 4, 0, 1, 0, 0, 0, 3, 0, 0}});
  EXPECT_TRUE(got.said.has_opt);
  EXPECT_EQ(got.said.opt_size, option_head + 2 + got.said.why.size()) << "more than the explanation";
}

TEST(respond, never_gives_a_real_address_before_a_table_is_known) {
  const auto got = respond_to(ask{.edns = true}.make(), nullptr);
  ASSERT_EQ(got.made.what, action::answered);
  EXPECT_EQ(got.said.code, 2u);
  EXPECT_EQ(got.said.ede, 14);
  EXPECT_EQ(respond_to(ask{.name = "", .type = rr::ns}.make(), nullptr).made.how, forward_kind::root_probe);
}

// It waits for an upstream, where CoreDNS's probe must not.
TEST(respond, asks_for_the_root_when_it_is_no_probe) {
  EXPECT_EQ(respond_to(ask{.name = "", .type = rr::ns, .edns = true}.make(), sample_table().get()).made.how,
            forward_kind::plain);
  EXPECT_EQ(respond_to(ask{.name = "", .type = rr::ns}.make(), sample_table().get()).made.how,
            forward_kind::root_probe);
}

// RFC 9462: whom a resolver names there clients ask instead, past what is hijacked.
TEST(respond, says_that_no_other_resolver_is_designated) {
  const auto got =
      respond_to(ask{.name = "_dns.resolver.arpa", .type = rr::svcb}.make(), sample_table().get());
  ASSERT_EQ(got.made.what, action::answered);
  EXPECT_EQ(got.said.code, 0u);
  EXPECT_TRUE(got.said.answers.empty());
  EXPECT_EQ(
      respond_to(ask{.name = "notresolver.arpa", .type = rr::svcb}.make(), sample_table().get()).made.what,
      action::forward);
}

TEST(respond, answers_bad_queries_with_the_right_code) {
  const auto code = [](const ask& what) { return respond_to(what).said.code; };
  EXPECT_EQ(code(ask{.flags = 4 << 11}), 4u);
  EXPECT_EQ(code(ask{.rr_class = 3}), 5u);
  EXPECT_EQ(code(ask{.edns = true, .version = 1}), 16u);
  auto cut = ask{}.make();
  cut.pop_back();
  const auto got = respond_to(cut, nullptr);
  EXPECT_EQ(got.said.code, 1u);
  EXPECT_EQ(got.said.id, 0x1234);
  EXPECT_EQ(respond_to(ask{.flags = flag::qr}).made.what, action::drop);
}

TEST(respond, refuses_clients_from_outside) {
  const auto got = respond_to(ask{}.make(), sample_table().get(), false);
  EXPECT_EQ(got.said.code, 5u);
  EXPECT_TRUE(got.said.answers.empty());
  EXPECT_EQ(respond_to(packet(11), nullptr, false).made.what, action::drop);
}

TEST(respond, knows_the_services_own_names) {
  const auto got = respond_to(ask{.name = "ex.egress-operator-system.svc.cluster.local"});
  EXPECT_EQ(got.said.answers.at(0).data, (packet{10, 0, 0, 1}));
  expect_nodata(respond_to(ask{.name = "v4.egress-operator-system.svc.cluster.local", .type = rr::txt}),
                "v4.egress-operator-system.svc.cluster.local");
  const auto reverse = respond_to(ask{.name = "1.0.0.10.in-addr.arpa", .type = rr::ptr});
  EXPECT_EQ(reverse.said.answers.at(0).data, name_in_case("ex.egress-operator-system.svc.cluster.local"));
}

TEST(respond, denies_private_reverse_names) {
  std::string nibbles;
  for (int i = 0; i < 30; ++i) nibbles += "1.";
  for (const auto& name :
       {std::string("9.9.9.10.in-addr.arpa"), std::string("1.2.16.172.in-addr.arpa"),
        std::string("x.1.0.0.10.in-addr.arpa"), nibbles + "d.f.ip6.arpa", "1." + nibbles + "d.f.ip6.arpa"}) {
    const auto got = respond_to(ask{.name = name, .type = rr::ptr});
    EXPECT_EQ(got.said.code, 3u) << name;
    EXPECT_EQ(got.said.authority.size(), 1u) << name;
  }
  EXPECT_EQ(respond_to(ask{.name = "9.9.9.10.in-addr.arpa"}).said.authority.at(0).owner, "10.in-addr.arpa");
  for (const auto* name : {"8.8.8.8.in-addr.arpa", "1.32.172.in-addr.arpa", "110.in-addr.arpa", "arpa"})
    EXPECT_EQ(respond_to(ask{.name = name, .type = rr::ptr}).made.how, forward_kind::plain) << name;
}

// RFC 8020: NXDOMAIN of one would deny the PTR records of our Services below it.
TEST(respond, does_not_deny_what_private_reverse_names_lie_below) {
  std::string zeros;
  for (int i = 0; i < 32; ++i) zeros += "0.";
  for (const auto& name :
       {std::string("10.in-addr.arpa"), std::string("0.10.in-addr.arpa"), std::string("0.0.10.in-addr.arpa"),
        std::string("1.168.192.in-addr.arpa"), std::string("255.255.255.255.in-addr.arpa"),
        std::string("D.F.ip6.arpa"), std::string("0.0.d.f.ip6.arpa"), zeros + "ip6.arpa"}) {
    const auto got = respond_to(ask{.name = name, .type = rr::ptr});
    EXPECT_EQ(got.said.code, 0u) << name;
    EXPECT_TRUE(got.said.answers.empty()) << name;
    EXPECT_EQ(got.said.authority.size(), 1u) << name;
    EXPECT_FALSE(got.made.hijacked) << name;
  }
}

TEST(respond, forwards_private_reverse_names_that_have_upstreams_of_their_own) {
  const auto table = sample_table();
  const respond_options options{
      .forwarded = std::make_shared<const domain_routes>(std::vector{parse_name("10.in-addr.arpa").value()})};
  const auto becomes = [&](const std::string& name) {
    const auto p = ask{.name = name, .type = rr::ptr}.make();
    query asked;
    std::array<std::uint8_t, answer_room> out{};
    return respond(asked, parse_query(p, asked), true, table.get(), options, out).what;
  };
  EXPECT_EQ(becomes("1.2.3.10.in-addr.arpa"), action::forward);
  EXPECT_EQ(becomes("1.2.168.192.in-addr.arpa"), action::answered);
}

TEST(respond, always_fits_the_smallest_client) {
  std::string name;
  for (int i = 0; i < 3; ++i) name += std::string(63, 'a') + ".";
  name += std::string(61, 'b');
  const auto table = build({service("s", name,
                                    {"10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4", "10.0.0.5", "fd00::1",
                                     "fd00::2", "fd00::3", "fd00::4", "fd00::5"})},
                           {external("s")})
                         .table;
  for (const unsigned type : {rr::a, rr::aaaa, rr::https, rr::any}) {
    const auto got =
        respond_to(ask{.name = name, .type = type, .edns = true, .dnssec = true}.make(), table.get());
    EXPECT_EQ(got.made.what, action::answered);
    EXPECT_LE(got.made.size, plain_udp_size);
  }
}

// Whatever comes in: no overrun, and what goes out is a well-formed answer to it.
TEST(respond, survives_any_bytes) {
  std::mt19937 random(7);
  const auto table = sample_table();
  const std::vector<packet> seeds{ask{}.make(), ask{.edns = true, .dnssec = true}.make(),
                                  ask{.name = "x.wild.example.com"}.make(),
                                  ask{.name = "1.0.0.10.in-addr.arpa", .type = rr::ptr}.make(), packet(40)};
  for (int i = 0; i < 200'000; ++i) {
    packet p = seeds[random() % seeds.size()];
    for (unsigned changes = random() % 6; changes > 0; --changes)
      p[random() % p.size()] = static_cast<std::uint8_t>(random());
    if (random() % 4 == 0) p.resize(random() % (p.size() + 8));
    const auto got = respond_to(p, table.get());
    if (got.made.what != action::answered) continue;
    ASSERT_EQ(got.said.id, load16(&p[0]));
    ASSERT_TRUE(got.said.flags & flag::qr);
  }
}

}  // namespace
}  // namespace egress::dns::test
