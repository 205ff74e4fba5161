#include "runtime/actor/look_pace.hpp"

#include <gtest/gtest.h>

namespace egress {
namespace {

using std::chrono::microseconds;

// A server that answers so many requests a second, as long as there are any under way: sixteen at most.
struct looked_at : ::testing::Test {
  microseconds after(int looks, double answers_a_second) {
    for (int i = 0; i < looks; ++i) {
      const auto passed = std::max(rest, microseconds{300});
      answered += answers_a_second * std::chrono::duration<double>(passed).count();
      rest = pace.next({.places = 16, .waiting = 50, .answered = static_cast<std::uint64_t>(answered)});
    }
    return rest;
  }
  look_pace pace;
  microseconds rest{0};
  double answered = 0;
};

TEST_F(looked_at, begins_without_a_rest) {
  EXPECT_EQ(after(1, 500), microseconds{0});
}

TEST_F(looked_at, rests_long_beside_a_server_that_takes_long) {
  EXPECT_EQ(after(100, 400), microseconds{16'000});
  EXPECT_EQ(after(100, 200), microseconds{32'000});
  EXPECT_EQ(after(100, 20), microseconds{32'000});
}

TEST_F(looked_at, does_not_rest_where_nothing_is_answered) {
  after(60, 400);
  EXPECT_EQ(after(16, 0), microseconds{0});
  EXPECT_EQ(after(60, 0), microseconds{0});
}

TEST_F(looked_at, rests_shortly_beside_a_fast_one) {
  const auto one = after(100, 3'000);
  EXPECT_GE(one, microseconds{500});
  EXPECT_LE(one, microseconds{3'300}) << "five eighths of the sixteen requests that are under way";
}

TEST_F(looked_at, rests_no_more_once_that_would_hold_the_server_up) {
  after(60, 400);
  EXPECT_EQ(after(100, 30'000), microseconds{0});
  EXPECT_GT(after(100, 400), microseconds{0}) << "and again when it has become slow";
}

TEST_F(looked_at, begins_anew_when_the_load_comes_back) {
  after(100, 200);
  for (int i = 0; i < 63; ++i) EXPECT_EQ(pace.next({.places = 16, .waiting = 15}), microseconds{0});
  EXPECT_EQ(after(1, 200), microseconds{32'000}) << "it was gone for a moment only";
  for (int i = 0; i < 64; ++i) EXPECT_EQ(pace.next({.places = 16, .waiting = 15}), microseconds{0});
  EXPECT_EQ(after(1, 200), microseconds{0});
}

// A few that wait for the sixteen reconcilers of a steady load would only be held up.
TEST(request_load, is_crowded_when_the_server_cannot_run_out_of_requests) {
  EXPECT_FALSE((kube::request_load{.places = 16, .waiting = 15, .answered = 0}).crowded());
  EXPECT_TRUE((kube::request_load{.places = 16, .waiting = 16, .answered = 0}).crowded());
  EXPECT_FALSE(kube::request_load{.places = 16}.crowded());
  EXPECT_FALSE((kube::request_load{.places = 4, .waiting = 40, .under_way = 4}).crowded()) << "too few";
}

TEST(request_load, is_crowded_while_nobody_waits_for_any_answer) {
  EXPECT_TRUE((kube::request_load{.places = 16, .under_way = 16}).crowded());
  EXPECT_TRUE((kube::request_load{.places = 16, .waiting = 3, .under_way = 16}).crowded());
  EXPECT_FALSE((kube::request_load{.places = 16, .under_way = 15}).crowded()) << "one place is free";
  EXPECT_FALSE((kube::request_load{.places = 16, .waiting = 3, .under_way = 16, .awaited = 1}).crowded());
}

}  // namespace
}  // namespace egress
