#include "runtime/http/moving_deadline.hpp"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <optional>

namespace egress::http {
namespace {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;

struct a_deadline : ::testing::Test {
  boost::asio::io_context io;
  int passed = 0;
  clock::time_point at;
  std::optional<moving_deadline> deadline{std::in_place, io.get_executor(), [this] {
                                            ++passed;
                                            at = clock::now();
                                          }};
};

TEST_F(a_deadline, that_moved_away_passes_when_it_was_moved_to) {
  const auto until = clock::now() + 30ms;
  deadline->move_to(clock::now() + 5ms);
  deadline->move_to(until);
  EXPECT_EQ(passed, 0) << "never from within";
  io.run();
  EXPECT_EQ(passed, 1);
  EXPECT_GE(at, until);
}

TEST_F(a_deadline, that_came_nearer_passes_earlier) {
  deadline->move_to(clock::now() + 1h);
  deadline->move_to(clock::now() + 1ms);
  io.run();
  EXPECT_EQ(passed, 1);
}

TEST_F(a_deadline, that_was_taken_away_leaves_nothing_to_wait_for) {
  deadline->move_to(clock::now() + 1h);
  deadline->move_to(clock::time_point::max());
  io.run();
  EXPECT_EQ(passed, 0);
  io.restart();
  deadline->move_to(clock::now());
  io.run();
  EXPECT_EQ(passed, 1) << "it can be set again";
}

TEST_F(a_deadline, that_is_gone_calls_nobody) {
  deadline->move_to(clock::now());
  deadline.reset();
  io.run();
  EXPECT_EQ(passed, 0);
}

TEST_F(a_deadline, moves_without_a_timer_for_each_time) {
  deadline->move_to(clock::now() + 5ms);
  for (int i = 0; i < 1'000; ++i) deadline->move_to(clock::now() + 10ms);
  EXPECT_LE(io.run(), 4u) << "handlers: the timer's two ends";
  EXPECT_EQ(passed, 1);
}

}  // namespace
}  // namespace egress::http
