#include "actors/dns/io/kept_query.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>

#include "tests/unit/dns/support.hpp"

namespace egress::dns::test {
namespace {

// EDNS options: so much padding (RFC 7830), and a client's cookie (RFC 7873) behind it.
packet padded_cookie(std::size_t padding) {
  packet options;
  put16(options, 12);
  put16(options, static_cast<unsigned>(padding));
  options.resize(options.size() + padding);
  put16(options, 10);
  put16(options, 8);
  for (const std::uint8_t byte : {1, 2, 3, 4, 5, 6, 7, 8}) options.push_back(byte);
  return options;
}

TEST(kept_query, outlives_its_packet_without_what_nobody_reads_again) {
  auto sent = std::make_unique<packet>(
      ask{.name = "www.example.org", .edns = true, .options = padded_cookie(40'000)}.make());
  query asked;
  ASSERT_EQ(parse_query(*sent, asked), reaction::serve);
  asked.client = map_v4(std::array<std::uint8_t, 4>{10, 1, 2, 3}.data());
  const auto client = asked.client;
  const packet question(asked.question().begin(), asked.question().end());
  const auto name = asked.name;
  const kept_query kept(asked);
  sent.reset();
  asked = {};
  const auto& now = kept.get();
  EXPECT_EQ(now.packet.size(), header_size + question.size());
  EXPECT_TRUE(std::ranges::equal(now.question(), question));
  EXPECT_TRUE(std::ranges::equal(now.name.view(), name.view()));
  EXPECT_EQ(now.client, client);
  EXPECT_TRUE(std::ranges::equal(now.client_cookie, packet{1, 2, 3, 4, 5, 6, 7, 8}));
}

TEST(kept_query, takes_the_place_of_another) {
  query first, second;
  const auto long_one =
      ask{.name = "a.much.longer.name.example.org", .edns = true, .options = padded_cookie(1)}.make();
  const auto short_one = ask{.name = "b.org"}.make();
  ASSERT_EQ(parse_query(long_one, first), reaction::serve);
  ASSERT_EQ(parse_query(short_one, second), reaction::serve);
  kept_query kept(first);
  kept.keep(second);
  EXPECT_TRUE(std::ranges::equal(kept.get().question(), second.question()));
  EXPECT_TRUE(kept.get().client_cookie.empty());
}

}  // namespace
}  // namespace egress::dns::test
