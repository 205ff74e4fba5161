#include "actors/leader/write_deadline.hpp"

#include <gtest/gtest.h>

namespace egress::leader {
namespace {

using namespace std::chrono_literals;

TEST(WriteDeadline, IsClosedUntilItIsMoved) {
  write_deadline deadline;
  EXPECT_FALSE(deadline.open());
  EXPECT_FALSE(deadline.open_at(boot_time::min()));
}

TEST(WriteDeadline, IsOpenStrictlyBeforeItsTime) {
  write_deadline deadline;
  deadline.move_to(boot_time{20s});
  EXPECT_TRUE(deadline.open_at(boot_time{20s - 1ns}));
  EXPECT_FALSE(deadline.open_at(boot_time{20s}));
  deadline.move_to(boot_time::min());
  EXPECT_FALSE(deadline.open_at(boot_time{0s}));
}

TEST(WriteDeadline, ComparesTheClockOfTheMachine) {
  write_deadline deadline;
  deadline.move_to(boot_clock::now() + 1h);
  EXPECT_TRUE(deadline.open());
  deadline.move_to(boot_clock::now());
  EXPECT_FALSE(deadline.open());
  EXPECT_TRUE(write_deadline{boot_time::max()}.open());
}

}  // namespace
}  // namespace egress::leader
