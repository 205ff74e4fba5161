#include "actors/dns/io/upstreams.hpp"

#include <gtest/gtest.h>

namespace egress::dns {
namespace {

upstreams three(upstream_policy policy = upstream_policy::least_outstanding) {
  return {3, policy, {}};
}

// What is chosen, again and again, with these random numbers.
std::vector<std::size_t> choices(upstreams& from, const std::vector<std::uint32_t>& random) {
  std::vector<std::size_t> made;
  for (const auto number : random) made.push_back(from.choose({}, number).value());
  return made;
}

TEST(upstreams, the_least_busy_healthy_one_is_asked) {
  auto all = three();
  EXPECT_EQ(all.choose({}, 0), 0u);
  all.began(0);
  EXPECT_EQ(all.choose({}, 0), 1u);
  all.ended(0);
  EXPECT_EQ(all.choose({0}, 0), 1u);
  all.failed(1);
  EXPECT_TRUE(all.healthy(1));
  all.failed(1);
  EXPECT_FALSE(all.healthy(1));
  EXPECT_EQ(all.choose({0}, 0), 2u);
}

TEST(upstreams, an_unhealthy_one_is_asked_before_none) {
  auto all = three();
  for (std::size_t i = 0; i < 3; ++i) all.failed(i), all.failed(i);
  EXPECT_TRUE(all.choose({}, 0));
  EXPECT_EQ(all.choose({0, 1}, 0), 2u);
  EXPECT_TRUE(all.choose({0, 1, 2}, 0));
  all.replied(1, std::chrono::milliseconds{1});
  EXPECT_EQ(all.choose({}, 0), 1u);
  EXPECT_FALSE(upstreams(0, upstream_policy::sequential, {}).choose({}, 0));
}

TEST(upstreams, each_policy_has_its_order) {
  auto sequential = three(upstream_policy::sequential), round_robin = three(upstream_policy::round_robin),
       random = three(upstream_policy::random), least = three();
  using all = std::vector<std::size_t>;
  for (auto* one : {&sequential, &least}) one->began(0);
  EXPECT_EQ(choices(sequential, {0, 1, 2}), (all{0, 0, 0}));
  EXPECT_EQ(choices(round_robin, {0, 0, 0, 0, 0}), (all{0, 1, 2, 0, 1}));
  EXPECT_EQ(choices(random, {5, 0, 7, 0xffffffff}), (all{2, 0, 1, 0}));
  EXPECT_EQ(choices(least, {0, 1, 2}), (all{1, 1, 1}));
}

TEST(upstreams, no_policy_goes_before_health_or_before_an_untried_one) {
  using enum upstream_policy;
  for (const auto policy : {least_outstanding, round_robin, upstream_policy::random, sequential}) {
    auto all = three(policy);
    all.failed(1), all.failed(1);
    for (std::uint32_t random = 0; random < 12; ++random) {
      EXPECT_NE(all.choose({}, random), 1u);
      EXPECT_EQ(all.choose({0}, random), 2u);
      EXPECT_EQ(all.choose({2, 0}, random), 1u);
    }
  }
}

TEST(upstreams, round_robin_goes_on_behind_an_unhealthy_one_and_does_not_count_second_tries) {
  auto all = three(upstream_policy::round_robin);
  all.failed(1), all.failed(1);
  EXPECT_EQ(choices(all, {0, 0, 0}), (std::vector<std::size_t>{0, 2, 0}));
  EXPECT_EQ(all.choose({0}, 0), 2u);
  EXPECT_EQ(all.choose({}, 0), 2u);
}

TEST(upstreams, only_those_without_a_loop_are_asked) {
  upstreams all(2, upstream_policy::sequential, {}, loop_state::unchecked);
  EXPECT_FALSE(all.choose({}, 0));
  all.set_loop(1, loop_state::clear);
  EXPECT_EQ(all.choose({}, 0), 1u);
  EXPECT_EQ(all.choose({1}, 0), 1u) << "not the unchecked one";
  all.set_loop(0, loop_state::looped);
  all.failed(1), all.failed(1);
  EXPECT_EQ(all.choose({}, 0), 1u) << "not the looped one, healthy as it is";
  EXPECT_FALSE(all.any_healthy());
  EXPECT_EQ(all.count(loop_state::looped), 1u);
}

TEST(upstreams, patience_follows_the_round_trips_within_bounds) {
  auto all = three();
  for (int i = 0; i < 100; ++i) all.replied(0, std::chrono::milliseconds{1});
  EXPECT_EQ(all.patience(0), std::chrono::milliseconds{200});
  for (int i = 0; i < 100; ++i) all.replied(0, std::chrono::seconds{2});
  EXPECT_EQ(all.patience(0), std::chrono::milliseconds{750});
}

TEST(upstreams, patience_is_three_round_trips) {
  using std::chrono::milliseconds;
  auto all = three();
  EXPECT_EQ(all.patience(0), milliseconds{300}) << "before the first reply";
  for (const auto& [trip, patience] : {std::pair{100, 300}, {70, 210}, {150, 450}, {240, 720}}) {
    for (int i = 0; i < 200; ++i) all.replied(1, milliseconds{trip});
    EXPECT_NEAR(static_cast<double>(all.patience(1).count()), patience, 1) << trip;
  }
  EXPECT_EQ(all.patience(0), milliseconds{300}) << "of another upstream";
}

// As TCP smooths it (RFC 6298): an eighth of what is new.
TEST(upstreams, one_round_trip_counts_an_eighth) {
  using std::chrono::milliseconds;
  auto all = three();
  all.replied(0, milliseconds{180});
  EXPECT_EQ(all.patience(0), milliseconds{330}) << "3 * (7 * 100 + 180) / 8";
  all.replied(0, milliseconds{30});
  EXPECT_EQ(all.patience(0), milliseconds{300}) << "3 * (7 * 110 + 30) / 8";
  all.replied(0, milliseconds{0});
  EXPECT_EQ(all.patience(0), milliseconds{262});
  all.failed(0);
  EXPECT_EQ(all.patience(0), milliseconds{262}) << "that none came says nothing of how long one takes";
}

}  // namespace
}  // namespace egress::dns
