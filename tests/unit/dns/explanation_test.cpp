// Why an answer is as it is, and whose: extended errors and cookies of answers of our own.
#include <gtest/gtest.h>

#include "actors/dns/cookie.hpp"
#include "actors/dns/forward_reply.hpp"
#include "tests/unit/dns/reply_reader.hpp"
#include "tests/unit/dns/support.hpp"

namespace egress::dns::test {
namespace {

const packet client_cookie{0, 10, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8};

packet answer_to(const ask& what, const hijack_table* table, bool allowed = true) {
  const auto p = what.make();
  packet out(edns_udp_size);
  query asked;
  const auto judged = parse_query(p, asked);
  if (!asked.client_cookie.empty()) give_cookie(asked, 1'700'000'000, {});
  const auto made = respond(asked, judged, allowed, table, {}, out);
  EXPECT_EQ(made.what, action::answered);
  out.resize(made.size);
  return out;
}

reply said_to(ask what, bool allowed = true) {
  static const auto table = sample_table();
  what.edns = true;
  return read_reply(answer_to(what, table.get(), allowed));
}

TEST(explanation, of_a_hijacked_answer_names_the_external_service) {
  for (const unsigned type : {rr::a, rr::aaaa, rr::https, rr::any}) {
    for (const bool dnssec : {false, true}) {
      const auto got = said_to({.type = type, .dnssec = dnssec});
      EXPECT_EQ(got.ede, 4) << type;
      EXPECT_EQ(got.why, "ExternalService ex") << type;
    }
  }
  EXPECT_EQ(said_to({.name = "_8443._https.example.com", .type = rr::https, .dnssec = true}).why,
            "ExternalService ex");
  EXPECT_EQ(said_to({.name = "ex.egress-operator-system.svc.cluster.local", .dnssec = true}).why,
            "Service of the gateway ex");
  EXPECT_EQ(said_to({.name = "1.0.0.10.in-addr.arpa", .type = rr::ptr, .dnssec = true}).why,
            "Service of the gateway ex");
}

TEST(explanation, of_a_refusal_says_what_is_not_allowed) {
  const auto refused = said_to({}, false);
  EXPECT_EQ(refused.ede, 18);
  EXPECT_EQ(refused.why, "client not in --dns-allow");
  EXPECT_EQ(said_to({.rr_class = 3}).ede, 21);
  EXPECT_EQ(said_to({.rr_class = 3}).why, "no class but IN");
  EXPECT_EQ(said_to({.type = rr::axfr}).ede, 21);
  EXPECT_EQ(said_to({.name = "9.9.9.10.in-addr.arpa", .type = rr::ptr}).ede, 29);
}

TEST(explanation, before_a_table_is_known_says_so) {
  const auto got = read_reply(answer_to({.edns = true}, nullptr));
  EXPECT_EQ(got.ede, 14);
  EXPECT_EQ(got.why, "the ExternalServices are not known yet");
  EXPECT_FALSE(read_reply(answer_to({}, nullptr)).has_opt);
}

// The answer fills 512 bytes, whatever it has to say besides: a client may take no more, with EDNS, too.
TEST(explanation, is_cut_to_what_fits) {
  std::string name;
  for (int i = 0; i < 3; ++i) name += std::string(63, 'a') + ".";
  name += std::string(61, 'b');
  const std::string owner(200, 'o');
  const auto table =
      build({service(owner, name, {"fd00::1", "fd00::2", "fd00::3", "fd00::4"})}, {external(owner)}).table;
  const auto p = answer_to(
      {.name = name, .type = rr::aaaa, .edns = true, .udp_size = 512, .options = client_cookie}, table.get());
  EXPECT_LE(p.size(), plain_udp_size);
  const auto got = read_reply(p);
  EXPECT_EQ(got.answers.size(), 4u);
  EXPECT_EQ(got.cookie.size(), 24u);
  EXPECT_EQ(got.ede, 4);
  EXPECT_TRUE(("ExternalService " + owner).starts_with(got.why));
  EXPECT_GT(got.why.size(), 40u);
}

TEST(explanation, is_not_cut_inside_a_character) {
  EXPECT_EQ(cut_text("a\xc3\xa4", 3), "a\xc3\xa4");
  EXPECT_EQ(cut_text("a\xc3\xa4", 2), "a");
  EXPECT_EQ(cut_text("\xe2\x82\xac", 2), "");
}

TEST(explanation, carries_a_cookie_to_those_who_sent_one) {
  for (const auto& what : std::vector<ask>{{},
                                           {.type = rr::https},
                                           {.rr_class = 3},
                                           {.type = rr::axfr},
                                           {.version = 1},
                                           {.dnssec = true},
                                           {.name = "9.9.9.10.in-addr.arpa", .type = rr::ptr}}) {
    EXPECT_TRUE(said_to(what).cookie.empty()) << what.name;
    auto with_cookie = what;
    with_cookie.options = client_cookie;
    const auto got = said_to(with_cookie);
    ASSERT_EQ(got.cookie.size(), 24u) << what.name;
    EXPECT_TRUE(std::ranges::equal(bytes(got.cookie).first(8), bytes(client_cookie).subspan(4)));
    EXPECT_EQ(got.cookie[8], 1);
  }
  const auto refused = said_to({.options = client_cookie}, false);
  EXPECT_EQ(refused.cookie.size(), 24u);
  EXPECT_EQ(refused.ede, 18);
}

TEST(explanation, of_a_malformed_cookie_is_a_format_error) {
  for (const unsigned size : {0u, 1u, 7u, 9u, 15u, 41u}) {
    packet options{0, 10, 0, static_cast<std::uint8_t>(size)};
    options.resize(4 + size);
    EXPECT_EQ(read_reply(answer_to({.edns = true, .options = options}, nullptr)).code, 1u) << size;
  }
  for (const unsigned size : {8u, 16u, 24u, 40u}) {
    packet options{0, 10, 0, static_cast<std::uint8_t>(size)};
    options.resize(4 + size);
    EXPECT_EQ(said_to({.options = options}).cookie.size(), 24u) << size;
  }
}

}  // namespace
}  // namespace egress::dns::test
