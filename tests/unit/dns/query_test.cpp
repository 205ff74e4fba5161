#include "actors/dns/query.hpp"

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace egress::dns::test
