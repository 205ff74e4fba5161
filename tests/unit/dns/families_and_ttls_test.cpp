// Services of one address family or both, below every kind of name; and --dns-ttl wherever we set a TTL.
#include <gtest/gtest.h>

#include "tests/unit/dns/reply_reader.hpp"
#include "tests/unit/dns/support.hpp"

namespace egress::dns::test {
namespace {

const std::string suffix = ".egress-operator-system.svc.cluster.local";

packet v4(std::uint8_t last) {
  return {10, 0, 0, last};
}
packet v6(std::uint8_t last) {
  return {0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last};
}
std::string reverse_of_v6(char last) {
  std::string name{last};
  for (int i = 0; i < 29; ++i) name += ".0";
  return name + ".d.f.ip6.arpa";
}

std::shared_ptr<const hijack_table> gateways() {
  return build({service("both", "both.example", {"10.0.0.1", "fd00::1"}),
                service("six", "six.example", {"fd00::2"}), service("wild", "*.wild.example", {"10.0.0.3"}),
                service("wildsix", "*.wildsix.example", {"fd00::4"})},
               {external_with_ports("both", {{443, "TCP"}}), external("six"), external("wild"),
                external("wildsix")})
      .table;
}

struct answer {
  outcome made;
  reply said;
};

// Whoever is below a wildcard is asked for upstream first, and found to exist.
answer respond_to(const ask& what, std::uint32_t ttl = 5) {
  static const auto table = gateways();
  const auto p = what.make();
  std::array<std::uint8_t, answer_room> out{};
  query asked;
  const auto judged = parse_query(p, asked);
  const respond_options options{.ttl = ttl};
  answer got{respond(asked, judged, true, table.get(), options, out), {}};
  if (got.made.what == action::forward && got.made.how == forward_kind::wildcard)
    got.made = respond_hijacked(asked, table.get(), options, out);
  if (got.made.what == action::answered) got.said = read_reply(bytes(out).first(got.made.size));
  return got;
}

void expect_nodata(const ask& what) {
  const auto got = respond_to(what);
  ASSERT_EQ(got.made.what, action::answered) << what.name;
  EXPECT_EQ(got.said.code, 0u) << what.name;
  EXPECT_TRUE(got.said.answers.empty()) << what.name;
  ASSERT_EQ(got.said.authority.size(), 1u) << what.name;
  EXPECT_EQ(got.said.authority[0].type, rr::soa);
  EXPECT_EQ(got.said.authority[0].owner, what.name) << "an ancestor's would forge a zone";
  EXPECT_TRUE(got.said.flags & flag::aa);
}

packet only_data(const ask& what) {
  const auto got = respond_to(what);
  EXPECT_EQ(got.said.answers.size(), 1u) << what.name;
  if (got.said.answers.size() != 1) return {};
  EXPECT_EQ(got.said.answers[0].type, what.type);
  EXPECT_EQ(got.said.answers[0].owner, what.name);
  return got.said.answers[0].data;
}

TEST(families, of_a_service_of_ipv6_alone_are_aaaa_and_no_a) {
  expect_nodata({.name = "six.example"});
  EXPECT_EQ(only_data({.name = "six.example", .type = rr::aaaa}), v6(2));
  expect_nodata({.name = "x.wildsix.example"});
  EXPECT_EQ(only_data({.name = "x.wildsix.example", .type = rr::aaaa}), v6(4));
  expect_nodata({.name = "six" + suffix});
}

TEST(families, below_a_wildcard_have_no_data_with_the_questions_own_name) {
  for (const unsigned type : {rr::aaaa, rr::https, rr::svcb, rr::cname, rr::dname}) {
    expect_nodata({.name = "a.wild.example", .type = type});
    expect_nodata({.name = "Deep.below.Wild.example", .type = type});
  }
  EXPECT_EQ(only_data({.name = "Deep.below.Wild.example"}), v4(3));
}

TEST(families, of_a_services_own_name_are_both) {
  EXPECT_EQ(only_data({.name = "Both" + suffix}), v4(1));
  EXPECT_EQ(only_data({.name = "Both" + suffix, .type = rr::aaaa}), v6(1));
  EXPECT_EQ(only_data({.name = "six" + suffix, .type = rr::aaaa}), v6(2));
  expect_nodata({.name = "wild" + suffix, .type = rr::aaaa});
}

TEST(families, have_a_reverse_name_each) {
  const auto target = name_in_case("both" + suffix);
  EXPECT_EQ(only_data({.name = "1.0.0.10.in-addr.arpa", .type = rr::ptr}), target);
  EXPECT_EQ(only_data({.name = reverse_of_v6('1'), .type = rr::ptr}), target);
  EXPECT_EQ(only_data({.name = reverse_of_v6('2'), .type = rr::ptr}), name_in_case("six" + suffix));
  expect_nodata({.name = reverse_of_v6('1')});
  EXPECT_EQ(respond_to({.name = reverse_of_v6('9'), .type = rr::ptr}).said.code, 3u) << "no Service has it";
}

TEST(ttl, is_that_of_the_flag_in_every_record_of_ours) {
  const ask all[] = {{.name = "both.example"},
                     {.name = "both.example", .type = rr::aaaa},
                     {.name = "both.example", .type = rr::any},
                     {.name = "both.example", .type = rr::https},
                     {.name = "_1._https.both.example", .type = rr::https},
                     {.name = "six.example"},
                     {.name = "a.wild.example"},
                     {.name = "a.wild.example", .type = rr::aaaa},
                     {.name = "both" + suffix},
                     {.name = "both" + suffix, .type = rr::txt},
                     {.name = "_both-tcp-443._tcp.both" + suffix, .type = rr::srv},
                     {.name = "_both-tcp-80._tcp.both" + suffix, .type = rr::srv},
                     {.name = "1.0.0.10.in-addr.arpa", .type = rr::ptr},
                     {.name = "9.9.9.10.in-addr.arpa", .type = rr::ptr}};
  for (const std::uint32_t ttl : {0u, 7u, 3600u})
    for (const auto& what : all) {
      SCOPED_TRACE(fmt::format("{} {} {}", what.name, what.type, ttl));
      const auto got = respond_to(what, ttl);
      ASSERT_EQ(got.made.what, action::answered);
      std::size_t records = 0;
      for (const auto* section : {&got.said.answers, &got.said.authority, &got.said.additional})
        for (const auto& record : *section) {
          ++records;
          EXPECT_EQ(record.ttl, ttl) << record.type;
          if (record.type == rr::soa) EXPECT_EQ(load32(&record.data[record.data.size() - 4]), ttl);
        }
      EXPECT_GT(records, 0u);
    }
}

}  // namespace
}  // namespace egress::dns::test
