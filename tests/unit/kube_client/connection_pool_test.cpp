#include "runtime/kube/connection_pool.hpp"

#include <gtest/gtest.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <optional>
#include <thread>

namespace egress::kube {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

// Who waits for a place, and what came of it.
struct one_who_waits {
  void wait_in(asio::io_context& io, connection_pool& pool, std::chrono::steady_clock::time_point until,
               bool patient = false) {
    asio::co_spawn(io, pool.enter(until, patient),
                   asio::bind_cancellation_slot(
                       stop.slot(), [this](const std::exception_ptr&, bool has_place) { got = has_place; }));
    io.poll();
  }
  asio::cancellation_signal stop;
  std::optional<bool> got;
};

struct pool_of_one : ::testing::Test {
  void SetUp() override { ASSERT_TRUE(pool.try_enter()); }
  asio::io_context io;
  connection_pool pool{io.get_executor(), 1};
  one_who_waits first, second;
  std::chrono::steady_clock::time_point late = std::chrono::steady_clock::now() + 1h;
};

TEST_F(pool_of_one, gives_its_place_to_who_waited_longest) {
  first.wait_in(io, pool, late);
  second.wait_in(io, pool, late);
  EXPECT_EQ(pool.load().waiting, 2U);
  pool.leave();
  EXPECT_FALSE(pool.try_enter()) << "it has the place before it runs";
  io.poll();
  EXPECT_EQ(first.got, true);
  EXPECT_FALSE(second.got);
  EXPECT_FALSE(pool.try_enter());
  pool.leave();
  io.poll();
  EXPECT_EQ(second.got, true);
  pool.leave();
  EXPECT_TRUE(pool.try_enter());
}

TEST_F(pool_of_one, passes_the_turn_on_of_one_that_was_cancelled_as_it_was_called) {
  first.wait_in(io, pool, late);
  second.wait_in(io, pool, late);
  first.stop.emit(asio::cancellation_type::terminal);  // takes effect when the context runs
  pool.leave();
  io.poll();
  EXPECT_EQ(first.got, false);
  EXPECT_EQ(second.got, true);
  EXPECT_FALSE(pool.try_enter());
  EXPECT_EQ(pool.load().awaited, 1U);
}

TEST_F(pool_of_one, passes_the_turn_on_of_one_whose_time_was_over_as_it_was_called) {
  const auto soon = std::chrono::steady_clock::now() + 500ms;
  one_who_waits before;
  before.wait_in(io, pool, soon - 1ms);
  first.wait_in(io, pool, soon);
  second.wait_in(io, pool, late);
  std::this_thread::sleep_until(soon + 1ms);
  // Both timers have passed by then, and one of them has told so.
  while (!before.got) io.poll_one();
  ASSERT_FALSE(first.got);
  pool.leave();
  io.poll();
  EXPECT_EQ(before.got, false);
  EXPECT_EQ(first.got, false);
  EXPECT_EQ(second.got, true);
  EXPECT_FALSE(pool.try_enter());
  EXPECT_EQ(pool.load().awaited, 1U);
}

TEST_F(pool_of_one, is_free_when_the_last_one_went_as_it_was_called) {
  first.wait_in(io, pool, late);
  first.stop.emit(asio::cancellation_type::terminal);
  pool.leave();
  io.poll();
  EXPECT_EQ(first.got, false);
  EXPECT_EQ(pool.load().awaited, 0U);
  EXPECT_TRUE(pool.try_enter());
  EXPECT_FALSE(pool.try_enter());
}

TEST_F(pool_of_one, counts_those_that_somebody_waits_for) {
  EXPECT_EQ(pool.load().under_way, 1U);
  EXPECT_EQ(pool.load().awaited, 1U);
  first.wait_in(io, pool, late, true);
  EXPECT_EQ(pool.load().awaited, 1U);
  second.wait_in(io, pool, late);
  EXPECT_EQ(pool.load().awaited, 2U) << "it has no place, and counts";
  pool.leave();
  second.stop.emit(asio::cancellation_type::terminal);
  io.poll();
  EXPECT_EQ(first.got, true);
  EXPECT_EQ(second.got, false);
  EXPECT_EQ(pool.load().under_way, 1U);
  EXPECT_EQ(pool.load().awaited, 0U);
  pool.leave(true);
  EXPECT_EQ(pool.load().under_way, 0U);
  EXPECT_EQ(pool.load().awaited, 0U);
  EXPECT_EQ(pool.load().answered, 2U);
}

TEST_F(pool_of_one, counts_who_waited_until_it_is_answered) {
  second.wait_in(io, pool, late);
  pool.leave();
  io.poll();
  EXPECT_EQ(second.got, true);
  EXPECT_EQ(pool.load().awaited, 1U);
  pool.leave();
  EXPECT_EQ(pool.load().awaited, 0U);
}

}  // namespace
}  // namespace egress::kube
