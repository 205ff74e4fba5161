#include "actors/dns/io/upstreams.hpp"

#include <gtest/gtest.h>

namespace egress::dns {
namespace {

upstreams three() {
  std::vector<upstream_address> all;
  for (const char* text : {"127.0.0.1", "127.0.0.2", "127.0.0.3"})
    all.push_back(parse_upstream(text).value());
  return {all, {}};
}

TEST(upstreams, the_least_busy_healthy_one_is_asked) {
  auto all = three();
  EXPECT_EQ(all.choose({}), 0u);
  all.began(0);
  EXPECT_EQ(all.choose({}), 1u);
  all.ended(0);
  EXPECT_EQ(all.choose({0}), 1u);
  all.failed(1);
  EXPECT_TRUE(all.healthy(1));
  all.failed(1);
  EXPECT_FALSE(all.healthy(1));
  EXPECT_EQ(all.choose({0}), 2u);
}

TEST(upstreams, an_unhealthy_one_is_asked_before_none) {
  auto all = three();
  for (std::size_t i = 0; i < 3; ++i) all.failed(i), all.failed(i);
  EXPECT_TRUE(all.choose({}));
  EXPECT_EQ(all.choose({0, 1}), 2u);
  EXPECT_TRUE(all.choose({0, 1, 2}));
  all.replied(1, std::chrono::milliseconds{1});
  EXPECT_EQ(all.choose({}), 1u);
  EXPECT_FALSE(upstreams({}, {}).choose({}));
}

TEST(upstreams, patience_follows_the_round_trips_within_bounds) {
  auto all = three();
  for (int i = 0; i < 100; ++i) all.replied(0, std::chrono::milliseconds{1});
  EXPECT_EQ(all.patience(0), std::chrono::milliseconds{200});
  for (int i = 0; i < 100; ++i) all.replied(0, std::chrono::seconds{2});
  EXPECT_EQ(all.patience(0), std::chrono::milliseconds{750});
}

}  // namespace
}  // namespace egress::dns
