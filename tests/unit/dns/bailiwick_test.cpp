#include "actors/dns/bailiwick.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "actors/dns/forward_reply.hpp"
#include "tests/unit/dns/reply_reader.hpp"
#include "tests/unit/dns/support.hpp"

namespace egress::dns::test {
namespace {

struct given {
  std::string owner;
  unsigned type = rr::a;
  packet data = {192, 0, 2, 1};
};
struct sections {
  std::vector<given> answer = {}, authority = {}, additional = {};
};

packet message_of(const ask& what, const sections& all) {
  auto p =
      ask{.name = what.name, .type = what.type, .id = 99, .flags = flag::qr | flag::rd | flag::aa}.make();
  std::size_t count_at = 6;
  for (const auto* section : {&all.answer, &all.authority, &all.additional}) {
    store16(&p[count_at], section->size());
    count_at += 2;
    for (const auto& record : *section) {
      // "@" is a pointer to the question's name.
      const auto owner = record.owner == "@" ? packet{0xc0, header_size} : name_in_case(record.owner);
      p.insert(p.end(), owner.begin(), owner.end());
      for (const unsigned field : {record.type, 1u, 0u, 300u}) put16(p, field);
      put16(p, static_cast<unsigned>(record.data.size()));
      p.insert(p.end(), record.data.begin(), record.data.end());
    }
  }
  return p;
}

packet prefixed(packet before, const std::string& name) {
  for (const auto byte : name_in_case(name)) before.push_back(byte);
  return before;
}
packet soa_data() {
  auto data = prefixed(name_in_case("ns.org"), "mail.org");
  data.resize(data.size() + 20);
  return data;
}
given alias(const std::string& from, const std::string& to) {
  return {.owner = from, .type = rr::cname, .data = name_in_case(to)};
}

// What stays, "owner type" each; "broken" when the reply is refused.
std::string kept(const ask& what, const sections& all) {
  const auto asked_packet = what.make();
  query asked;
  EXPECT_EQ(parse_query(asked_packet, asked), reaction::serve);
  const auto reply = message_of(what, all);
  packet room;
  const auto left = in_bailiwick(asked, reply, room);
  if (!left) return "broken";
  EXPECT_EQ(load16(left->data()), 99);
  EXPECT_EQ(load16(left->data() + 2), load16(&reply[2]));
  const auto said = read_reply(*left);
  std::string text;
  for (const auto* section : {&said.answers, &said.authority, &said.additional}) {
    for (const auto& record : *section) text += record.owner + " " + std::to_string(record.type) + ", ";
    text += "| ";
  }
  return text;
}

// Found by the fuzzer: ldns loses the memory of the first one.
TEST(bailiwick, a_reply_with_two_signatures_or_two_opts_is_not_read) {
  const ask what{.name = "www.example.org"};
  packet tsig = name_in_case("hmac-sha256");
  tsig.resize(tsig.size() + 16);
  query asked;
  ASSERT_EQ(parse_query(what.make(), asked), reaction::serve);
  for (const unsigned type : {unsigned{rr::tsig}, unsigned{rr::opt}})
    for (const std::size_t times : {1u, 2u}) {
      sections all{.answer = {{"@"}, {"foreign.example.net"}}};
      for (std::size_t i = 0; i < times; ++i)
        all.additional.push_back({"x", type, type == rr::tsig ? tsig : packet{}});
      packet room;
      EXPECT_EQ(in_bailiwick(asked, message_of(what, all), room).has_value(), times == 1)
          << type << " " << times;
    }
}

TEST(bailiwick, what_belongs_to_the_question_stays_byte_for_byte) {
  const ask what{.name = "www.a.org"};
  const auto p = what.make();
  query asked;
  parse_query(p, asked);
  const auto reply = message_of(what, {.answer = {alias("WWW.a.org", "b.net"), {.owner = "b.net"}},
                                       .authority = {{.owner = "net", .type = rr::soa, .data = soa_data()}}});
  packet room;
  const auto left = in_bailiwick(asked, reply, room);
  ASSERT_TRUE(left);
  EXPECT_EQ(left->data(), reply.data()) << "a copy";
}

TEST(bailiwick, answers_of_other_names_go) {
  EXPECT_EQ(kept({.name = "www.a.org"}, {.answer = {{.owner = "www.a.org"}, {.owner = "bank.com"}}}),
            "www.a.org 1, | | | ");
  EXPECT_EQ(kept({.name = "www.a.org"}, {.answer = {{.owner = "a.org"}, {.owner = "x.www.a.org"}}}),
            "| | | ");
}

// Found by the fuzzer: behind the four bytes of the first address ldns takes what we took for data for a
// record, which stayed in the place of the second one.
TEST(bailiwick, a_record_that_hides_in_anothers_data_does_not_stay) {
  auto data = packet{192, 0, 2, 1};
  data = prefixed(std::move(data), "bank.com");
  for (const unsigned field : {unsigned{rr::a}, 1u, 0u, 300u, 4u}) put16(data, field);
  data.insert(data.end(), {192, 0, 2, 66});
  EXPECT_EQ(
      kept(
          {.name = "www.a.org"},
          {.answer = {{.owner = "www.a.org", .data = data}, {.owner = "www.a.org"}, {.owner = "other.com"}}}),
      "broken");
}

TEST(bailiwick, aliases_lead_on_in_whatever_order_they_come) {
  EXPECT_EQ(kept({.name = "a.org"}, {.answer = {{.owner = "c.org"},
                                                alias("b.org", "c.org"),
                                                alias("a.org", "b.org"),
                                                alias("x.org", "y.org"),
                                                {.owner = "y.org"}}}),
            "c.org 1, b.org 5, a.org 5, | | | ");
}

// Whoever answers decides how many hosts there are, and each is looked for among all that is added.
TEST(bailiwick, addresses_of_the_first_hosts_stay_and_no_more_are_looked_for) {
  constexpr int most = 64;
  sections all;
  for (int i = 0; i <= most; ++i) {
    const auto host = "h" + std::to_string(i) + ".a.org";
    all.answer.push_back({.owner = "a.org", .type = rr::mx, .data = prefixed({0, 10}, host)});
    all.additional.push_back({.owner = host});
  }
  const auto left = kept({.name = "a.org", .type = rr::mx}, all);
  EXPECT_EQ(std::ranges::count(left, ','), most + 1 + most);
  EXPECT_TRUE(left.contains("h63.a.org 1")) << left;
  EXPECT_FALSE(left.contains("h64.a.org 1")) << left;
}

// Nor is it he who decides how much is gone through each time that it is told again.
TEST(bailiwick, additional_addresses_of_one_host_stay_up_to_128) {
  sections all{.answer = {{.owner = "a.org", .type = rr::mx, .data = prefixed({0, 10}, "mail.a.org")}}};
  all.additional.assign(200, {.owner = "mail.a.org"});
  const auto left = kept({.name = "a.org", .type = rr::mx}, all);
  EXPECT_EQ(std::ranges::count(left, ','), 1 + 128) << left;
}

// A cache in front would make up a.old.org's alias from it, whom nobody has asked us for.
TEST(bailiwick, a_dname_above_the_question_stays_as_a_proof_only) {
  const given moved{.owner = "old.org", .type = rr::dname, .data = name_in_case("new.org")};
  const sections all{.answer = {moved, alias("x.old.org", "x.new.org"), {.owner = "x.new.org"}}};
  EXPECT_EQ(kept({.name = "x.old.org", .edns = true, .dnssec = true}, all),
            "old.org 39, x.old.org 5, x.new.org 1, | | | ");
  EXPECT_EQ(kept({.name = "x.old.org"}, all), "x.old.org 5, x.new.org 1, | | | ");
  EXPECT_EQ(kept({.name = "old.org", .type = rr::dname}, {.answer = {moved}}), "old.org 39, | | | ");
  EXPECT_EQ(kept({.name = "x.org"}, {.answer = {moved, {.owner = "x.org"}}}), "x.org 1, | | | ");
}

TEST(bailiwick, sixteen_aliases_are_followed_and_no_more) {
  const auto chain = [](int aliases) {
    sections all;
    for (int i = 0; i < aliases; ++i)
      all.answer.push_back(alias("n" + std::to_string(i) + ".org", "n" + std::to_string(i + 1) + ".org"));
    all.answer.push_back({.owner = "n" + std::to_string(aliases) + ".org"});
    return kept({.name = "n0.org"}, all);
  };
  EXPECT_TRUE(chain(16).contains("n16.org 1")) << chain(16);
  EXPECT_EQ(chain(17), "broken");
  EXPECT_EQ(kept({.name = "a.org"}, {.answer = {alias("a.org", "b.org"), alias("b.org", "a.org")}}),
            "broken");
}

TEST(bailiwick, authority_must_be_above_the_question) {
  const auto soa = [](const std::string& of) { return given{of, rr::soa, soa_data()}; };
  EXPECT_EQ(kept({.name = "www.a.org"}, {.authority = {soa("a.org"),
                                                       soa("b.org"),
                                                       soa("x.www.a.org"),
                                                       {.owner = "org", .type = rr::ns, .data = soa_data()},
                                                       {.owner = "a.org", .type = rr::a}}})
                .substr(0, 20),
            "| a.org 6, org 2, | ");
}

TEST(bailiwick, proofs_are_for_those_who_asked_for_them) {
  const sections all{.answer = {{.owner = "a.org"}},
                     .authority = {{.owner = "0.org", .type = rr::nsec, .data = prefixed({}, "b.org")}}};
  EXPECT_EQ(kept({.name = "a.org"}, all), "a.org 1, | | | ");
  EXPECT_EQ(kept({.name = "a.org", .edns = true, .dnssec = true}, all), "a.org 1, | 0.org 47, | | ");
}

TEST(bailiwick, additional_addresses_are_of_hosts_that_an_answer_names) {
  EXPECT_EQ(kept({.name = "_x._tcp.a.org", .type = rr::srv},
                 {.answer = {{.owner = "_x._tcp.a.org",
                              .type = rr::srv,
                              .data = prefixed({0, 0, 0, 0, 0, 80}, "Host.a.org")}},
                  .additional = {{.owner = "host.a.org"}, {.owner = "bank.com"}}}),
            "_x._tcp.a.org 33, | | host.a.org 1, | ");
  EXPECT_EQ(kept({.name = "a.org"},
                 {.answer = {{.owner = "a.org"},
                             {.owner = "b.org", .type = rr::mx, .data = prefixed({0, 1}, "bank.com")}},
                  .additional = {{.owner = "bank.com"}}}),
            "a.org 1, | | | ")
      << "a record that goes names nobody";
  EXPECT_EQ(kept({.name = "a.org", .type = rr::https},
                 {.answer = {{.owner = "a.org", .type = rr::https, .data = {0, 1, 0}}},
                  .additional = {{.owner = "a.org"}, {.owner = "bank.com"}}}),
            "a.org 65, | | a.org 1, | ");
}

// Replies of this form alone are judged without a copy of their names.
TEST(bailiwick, a_pointer_to_the_question_is_its_name) {
  const ask what{.name = "www.a.org"};
  for (const unsigned type :
       {rr::a, rr::ns, rr::cname, rr::dname, rr::soa, rr::mx, rr::rrsig, rr::opt, rr::tsig}) {
    const auto of = [&](const std::string& owner) {
      const given one{owner, type, prefixed({}, "b.net")};
      const given other{.owner = "b.net"};
      return kept(what, {.answer = {one, other}}) + kept(what, {.answer = {one}}) +
             kept(what, {.answer = {one, one}, .additional = {{"", rr::opt, {}}}}) +
             kept(what, {.answer = {one}, .additional = {one}}) +
             kept(what, {.answer = {one}, .authority = {one}}) + kept(what, {.authority = {one}});
    };
    EXPECT_EQ(of("@"), of("www.a.org")) << type;
  }
  EXPECT_EQ(kept(what, {.answer = {{.owner = "@"}, {.owner = "@"}}, .additional = {{"", rr::opt, {}}}}),
            "www.a.org 1, www.a.org 1, | |  41, | ");
}

TEST(bailiwick, survives_any_bytes) {
  std::mt19937 random(7);
  const ask what{.name = "a.org", .type = rr::mx};
  const auto p = what.make();
  query asked;
  parse_query(p, asked);
  const auto seed = message_of(
      what,
      {.answer = {alias("a.org", "b.org"), {"b.org", rr::mx, {0, 1, 1, 'm', 0xc0, 12}}, {.owner = "c.org"}},
       .authority = {{"org", rr::soa, soa_data()}},
       .additional = {{.owner = "m.a.org"}, {.owner = "x.org"}}});
  int understood = 0;
  packet room;
  for (int i = 0; i < 50'000; ++i) {
    auto reply = seed;
    for (unsigned changes = random() % 4; changes > 0; --changes)
      reply[header_size + 11 + random() % (reply.size() - header_size - 11)] =
          static_cast<std::uint8_t>(random());
    if (in_bailiwick(asked, reply, room)) ++understood;
  }
  EXPECT_GT(understood, 10'000);
}

}  // namespace
}  // namespace egress::dns::test
