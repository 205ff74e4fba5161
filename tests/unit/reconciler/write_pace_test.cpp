#include "actors/reconciler/write_pace.hpp"

#include <gtest/gtest.h>

namespace egress::reconciler {
namespace {

using std::chrono::seconds;

constexpr kube::digest one_state{1}, another_state{2};
constexpr milliseconds at_once{0};

struct pacing : ::testing::Test {
  void exhaust(const kube::digest& wanted) {
    for (int i = 0; i < static_cast<int>(write_pace::burst); ++i) {
      EXPECT_EQ(pace.wait(0, wanted, now), at_once) << i;
      pace.wrote(0, wanted, now);
    }
  }
  write_pace pace;
  steady_time now{std::chrono::hours{1}};
};

TEST_F(pacing, ten_writes_to_one_state_come_at_once_and_then_one_a_second) {
  exhaust(one_state);
  EXPECT_EQ(pace.wait(0, one_state, now), seconds{1});
  now += milliseconds{400};
  EXPECT_EQ(pace.wait(0, one_state, now), milliseconds{600});
  now += milliseconds{600};
  EXPECT_EQ(pace.wait(0, one_state, now), at_once);
  pace.wrote(0, one_state, now);
  EXPECT_EQ(pace.wait(0, one_state, now), seconds{1});
}

TEST_F(pacing, another_state_another_child_and_another_external_service_do_not_wait) {
  pace.about("u");
  exhaust(one_state);
  EXPECT_EQ(pace.wait(0, another_state, now), at_once);
  EXPECT_EQ(pace.wait(1, one_state, now), at_once);
  pace.about("u");
  EXPECT_GT(pace.wait(0, one_state, now), at_once);
  pace.about("another");
  EXPECT_EQ(pace.wait(0, one_state, now), at_once);
}

TEST_F(pacing, a_quiet_time_gives_all_of_it_back_and_no_more) {
  exhaust(one_state);
  now += std::chrono::hours{1};
  exhaust(one_state);
  EXPECT_EQ(pace.wait(0, one_state, now), seconds{1});
}

}  // namespace
}  // namespace egress::reconciler
