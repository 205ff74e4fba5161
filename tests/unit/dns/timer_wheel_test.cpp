#include "actors/dns/timer_wheel.hpp"

#include <gtest/gtest.h>

#include <new>
#include <vector>

namespace egress::dns::test {
namespace {

using std::chrono::milliseconds;

constexpr wheel_time start{std::chrono::hours{1}};

struct wheel_with_five {
  timer_wheel wheel;
  std::array<timed, 5> all;
  std::vector<std::size_t> told;

  void advance(milliseconds after_start) {
    wheel.advance(start + after_start,
                  [&](timed& one) { told.push_back(static_cast<std::size_t>(&one - all.data())); });
  }
};

TEST(timer_wheel, tells_each_once_when_it_is_due_and_within_a_tick_of_it) {
  wheel_with_five w;
  for (std::size_t i = 0; i < 5; ++i) w.wheel.set(w.all[i], start + milliseconds{50 * i + 3});
  for (int now = 0; now <= 300; ++now) {
    w.advance(milliseconds{now});
    const auto due = now < 3 ? 0 : std::min((now - 3) / 50 + 1, 5);
    const auto due_a_tick_ago = now < 8 ? 0 : std::min((now - 8) / 50 + 1, 5);
    EXPECT_LE(w.told.size(), static_cast<std::size_t>(due)) << now;
    EXPECT_GE(w.told.size(), static_cast<std::size_t>(due_a_tick_ago)) << now;
  }
  EXPECT_EQ(w.told, (std::vector<std::size_t>{0, 1, 2, 3, 4}));
  EXPECT_TRUE(w.wheel.empty());
}

TEST(timer_wheel, tells_nothing_that_was_cancelled_or_set_anew) {
  wheel_with_five w;
  for (auto& one : w.all) w.wheel.set(one, start + milliseconds{20});
  w.wheel.cancel(w.all[0]);
  w.wheel.cancel(w.all[0]);
  w.wheel.set(w.all[1], start + milliseconds{100});
  w.advance(milliseconds{60});
  EXPECT_EQ(w.told, (std::vector<std::size_t>{2, 3, 4}));
  w.advance(milliseconds{110});
  EXPECT_EQ(w.told.back(), 1u);
  EXPECT_TRUE(w.wheel.empty());
}

TEST(timer_wheel, keeps_what_is_due_in_a_later_turn) {
  wheel_with_five w;
  w.wheel.set(w.all[0], start + std::chrono::seconds{60});
  for (int now = 0; now < 60'000; now += 5) w.advance(milliseconds{now});
  EXPECT_TRUE(w.told.empty());
  w.advance(milliseconds{60'010});
  EXPECT_EQ(w.told.size(), 1u);
}

TEST(timer_wheel, tells_all_after_a_long_sleep) {
  wheel_with_five w;
  w.advance(milliseconds{0});
  for (std::size_t i = 0; i < 5; ++i) w.wheel.set(w.all[i], start + milliseconds{700 * i});
  w.advance(std::chrono::hours{5});
  EXPECT_EQ(w.told.size(), 5u);
}

TEST(timer_wheel, tells_what_is_due_already_at_the_next_tick) {
  wheel_with_five w;
  w.advance(milliseconds{1000});
  w.wheel.set(w.all[0], start);
  w.advance(milliseconds{1000});
  EXPECT_TRUE(w.told.empty());
  w.advance(milliseconds{1005});
  EXPECT_EQ(w.told.size(), 1u);
}

TEST(timer_wheel, keeps_the_others_when_who_is_told_throws) {
  timer_wheel wheel;
  std::array<timed, 3> all;
  for (auto& one : all) wheel.set(one, start);
  const auto fail = [](timed&) { throw std::bad_alloc(); };
  EXPECT_THROW(wheel.advance(start + milliseconds{10}, fail), std::bad_alloc);
  EXPECT_FALSE(wheel.empty());
  for (auto& one : all) wheel.cancel(one);
  EXPECT_TRUE(wheel.empty());
}

TEST(timer_wheel, may_be_changed_by_who_is_told) {
  timer_wheel wheel;
  std::array<timed, 3> all;
  for (auto& one : all) wheel.set(one, start);
  std::vector<std::size_t> told;
  const auto tell = [&](timed& one) {
    told.push_back(static_cast<std::size_t>(&one - all.data()));
    if (told.size() > 1) return;
    wheel.cancel(all[1]);
    wheel.set(all[0], start + milliseconds{20});
  };
  wheel.advance(start + milliseconds{10}, tell);
  EXPECT_EQ(told, (std::vector<std::size_t>{0, 2}));
  wheel.advance(start + milliseconds{30}, tell);
  EXPECT_EQ(told, (std::vector<std::size_t>{0, 2, 0}));
  EXPECT_TRUE(wheel.empty());
}

}  // namespace
}  // namespace egress::dns::test
