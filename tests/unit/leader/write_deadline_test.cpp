#include "actors/leader/write_deadline.hpp"

#include <gtest/gtest.h>

namespace egress::leader {
namespace {

using namespace std::chrono_literals;

TEST(WriteDeadline, IsClosedUntilItIsMoved) {
  write_deadline deadline;
  EXPECT_FALSE(deadline.open(0));
  EXPECT_FALSE(deadline.open_at(boot_time::min(), 0));
}

TEST(WriteDeadline, IsOpenStrictlyBeforeItsTime) {
  write_deadline deadline;
  deadline.move_to(boot_time{20s});
  EXPECT_TRUE(deadline.open_at(boot_time{20s - 1ns}, 0));
  EXPECT_FALSE(deadline.open_at(boot_time{20s}, 0));
  deadline.move_to(boot_time::min());
  EXPECT_FALSE(deadline.open_at(boot_time{0s}, 0));
}

TEST(WriteDeadline, ComparesTheClockOfTheMachine) {
  write_deadline deadline;
  deadline.move_to(boot_clock::now() + 1h);
  EXPECT_TRUE(deadline.open(0));
  deadline.move_to(boot_clock::now());
  EXPECT_FALSE(deadline.open(0));
  EXPECT_TRUE(write_deadline{boot_time::max()}.open(0));
}

TEST(WriteDeadline, IsOpenForThePresentTermOnly) {
  write_deadline deadline;
  deadline.move_to(boot_time{20s});
  const auto first = deadline.begin_term();
  EXPECT_TRUE(deadline.open_at(boot_time{0s}, first));
  EXPECT_FALSE(deadline.open_at(boot_time{0s}, 0));
  const auto second = deadline.begin_term();
  EXPECT_FALSE(deadline.open_at(boot_time{0s}, first));
  EXPECT_TRUE(deadline.open_at(boot_time{0s}, second));
}

}  // namespace
}  // namespace egress::leader
