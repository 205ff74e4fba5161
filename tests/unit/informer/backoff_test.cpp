#include "actors/informer/backoff.hpp"

#include <gtest/gtest.h>

namespace egress::informer {
namespace {

using std::chrono::minutes;
const steady_time t0{std::chrono::hours(1)};

TEST(Backoff, DoublesUpToItsCap) {
  backoff tries;
  auto now = t0;
  for (const long expected : {800, 1600, 3200, 6400, 12800, 25600, 30000, 30000}) {
    EXPECT_EQ(tries.next({now, 0.0}), milliseconds(expected));
    now += milliseconds(expected);
  }
}

TEST(Backoff, JitterAddsAtMostTheDelayItself) {
  for (const double random : {0.0, 0.25, 0.999}) {
    backoff tries;
    EXPECT_EQ(tries.next({t0, random}), milliseconds(800 + static_cast<long>(800 * random)));
  }
}

TEST(Backoff, BeginsAnewAfterTwoQuietMinutes) {
  backoff tries;
  tries.next({t0, 0});
  EXPECT_EQ(tries.next({t0 + minutes(1), 0}), milliseconds(1600));
  EXPECT_FALSE(tries.quiet(t0 + minutes(2)));
  EXPECT_EQ(tries.next({t0 + minutes(4), 0}), milliseconds(800));
}

TEST(Backoff, TheWaitItselfIsNoQuietTime) {
  backoff tries{
      {.first = milliseconds(100'000), .cap = milliseconds(400'000), .reset_after = milliseconds(120'000)}};
  const auto wait = tries.next({t0, 0.9});
  EXPECT_FALSE(tries.quiet(t0 + wait + minutes(1)));
  EXPECT_TRUE(tries.quiet(t0 + wait + minutes(3)));
}

TEST(Backoff, IsQuietBeforeTheFirstFailure) {
  EXPECT_TRUE(backoff{}.quiet(t0));
}

}  // namespace
}  // namespace egress::informer
