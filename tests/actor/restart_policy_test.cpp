#include "runtime/actor/restart_policy.hpp"

#include <gtest/gtest.h>

namespace egress {
namespace {

constexpr steady_time start{std::chrono::hours{1}};

TEST(restart_policy, the_first_restart_has_no_delay_and_later_ones_double) {
  restart_policy policy;
  std::vector<std::int64_t> delays;
  for (int i = 0; i < 10; ++i) delays.push_back(policy.on_death(start + seconds{i}).delay.count());
  EXPECT_EQ(delays, (std::vector<std::int64_t>{0, 100, 200, 400, 800, 1600, 1600, 1600, 1600, 1600}));
}

TEST(restart_policy, a_quiet_window_forgets_what_was_before) {
  restart_policy policy;
  policy.on_death(start);
  policy.on_death(start + seconds{1});
  EXPECT_EQ(policy.on_death(start + seconds{120}).delay, milliseconds{0});
}

TEST(restart_policy, the_limit_ends_the_process_only_for_whom_it_is_meant) {
  restart_policy patient;
  restart_policy vital{{.past_limit_ends_process = true}};
  for (int i = 0; i < 5; ++i) {
    EXPECT_FALSE(patient.on_death(start + seconds{i}).end_process);
    EXPECT_FALSE(vital.on_death(start + seconds{i}).end_process);
  }
  EXPECT_FALSE(patient.on_death(start + seconds{6}).end_process);
  EXPECT_TRUE(vital.on_death(start + seconds{6}).end_process);
}

TEST(restart_policy, delays_never_pass_the_cap) {
  restart_policy policy{{.deaths = 40}};
  milliseconds longest{0};
  for (int i = 0; i < 40; ++i) longest = std::max(longest, policy.on_death(start).delay);
  EXPECT_EQ(longest, milliseconds{10'000});
}

}  // namespace
}  // namespace egress
