#include "actors/dns/standing_queue.hpp"

#include <gtest/gtest.h>

namespace egress::dns {
namespace {

using namespace std::chrono_literals;

constexpr bool more = true, empty = false;
constexpr standing_queue::time t{1h};

TEST(standing_queue, is_none_while_a_burst_is_worked_off) {
  standing_queue queue;
  for (auto now = 0ms; now < standing_queue::patience; now += 1ms) EXPECT_FALSE(queue.stands(more, t + now));
  EXPECT_FALSE(queue.stands(empty, t + 50ms));
  EXPECT_FALSE(queue.stands(more, t + 60ms)) << "another burst";
}

TEST(standing_queue, is_none_when_a_burst_ended_with_a_whole_batch) {
  standing_queue queue;
  queue.stands(more, t);
  queue.found_empty();
  EXPECT_FALSE(queue.stands(more, t + 1min));
}

TEST(standing_queue, stands_once_it_was_not_empty_for_long_and_until_it_is) {
  standing_queue queue;
  queue.stands(more, t);
  EXPECT_TRUE(queue.stands(more, t + standing_queue::patience));
  EXPECT_TRUE(queue.stands(more, t + 10s));
  EXPECT_FALSE(queue.stands(empty, t + 10s));
}

TEST(standing_queue, meets_less_patience_for_a_while_after_it_stood) {
  standing_queue queue;
  queue.stands(more, t);
  queue.stands(more, t + 50ms);
  queue.stands(empty, t + 60ms);
  EXPECT_FALSE(queue.stands(more, t + 70ms));
  EXPECT_TRUE(queue.stands(more, t + 70ms + standing_queue::less_patience));
  queue.stands(empty, t + 80ms);
  EXPECT_FALSE(queue.stands(more, t + 2s));
  EXPECT_FALSE(queue.stands(more, t + 2s + standing_queue::less_patience)) << "a second has gone by";
}

TEST(standing_queue, is_none_when_the_loop_itself_was_kept_from_working) {
  standing_queue queue;
  queue.stands(empty, t);
  EXPECT_FALSE(queue.stands(more, t + 1s)) << "what came meanwhile is a burst";
}

}  // namespace
}  // namespace egress::dns
