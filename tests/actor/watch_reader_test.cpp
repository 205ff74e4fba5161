// The reader of one watch, on an executor that the test runs by hand: what is ready runs, and no more.
#include "runtime/actor/watch_reader.hpp"

#include <gtest/gtest.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/this_coro.hpp>

#include "runtime/kube/is_cancelled.hpp"

namespace egress {
namespace {

namespace asio = boost::asio;
constexpr std::size_t most = 64;

kube::api_error because(kube::api_errc code) {
  kube::api_error made;
  made.code = code;
  return made;
}

// A stream with an event in every read, until it is cancelled or has no more.
struct readers : ::testing::Test {
  asio::awaitable<kube::watch_chunk> next() {
    kube::watch_chunk made;
    if (kube::is_cancelled(co_await asio::this_coro::cancellation_state) || reads == available) {
      made.ended = true;
      if (reads != available) made.failure = because(kube::api_errc::cancelled);
    } else {
      made.events.push_back({.object = {}, .resource_version = std::to_string(++reads)});
    }
    co_return made;
  }
  asio::awaitable<void> run_it() {
    co_await asio::this_coro::throw_if_cancelled(false);
    co_await reader.read([this] { return next(); });
  }
  void start() {
    asio::co_spawn(io, run_it(), asio::bind_cancellation_slot(stop.slot(), [this](std::exception_ptr e) {
                     EXPECT_FALSE(e);
                     over = true;
                   }));
    run();
  }
  void run() {
    io.restart();
    io.poll();
  }
  // How many events the poll was told; -1 when it was not told.
  int ask(std::uint64_t ticket) {
    const auto before = told.size();
    reader.ask(ticket);
    if (told.size() == before) return -1;
    EXPECT_EQ(told.back().ticket, ticket);
    for (const auto& one : told.back().what.events) {
      EXPECT_EQ(one.resource_version, std::to_string(++last));
    }
    return static_cast<int>(told.back().what.events.size());
  }

  asio::io_context io;
  asio::cancellation_signal stop;
  std::vector<read_ahead::answer> told;
  std::size_t reads = 0, available = 1'000;
  int last = 0;
  bool over = false;
  watch_reader reader{io.get_executor(), most, std::chrono::minutes{10},
                      [this](read_ahead::answer what) { told.push_back(std::move(what)); }};
};

TEST_F(readers, stop_at_the_bound_and_go_on_when_they_are_asked) {
  start();
  EXPECT_EQ(reads, most);
  EXPECT_TRUE(told.empty());
  EXPECT_EQ(ask(1), 64);
  run();
  EXPECT_EQ(reads, 2 * most);
  EXPECT_EQ(ask(2), 64);
}

TEST_F(readers, tell_each_event_once_and_then_the_end) {
  start();
  for (std::uint64_t ticket = 1; last < 1'000; ++ticket) {
    ASSERT_GT(ask(ticket), 0);
    run();
  }
  EXPECT_TRUE(over);
  if (!told.back().what.ended) EXPECT_EQ(ask(100), 0);
  EXPECT_TRUE(told.back().what.ended);
  EXPECT_FALSE(told.back().what.failure);
}

TEST_F(readers, that_are_cancelled_while_they_are_full_end) {
  start();
  stop.emit(asio::cancellation_type::terminal);
  run();
  EXPECT_TRUE(over);
  EXPECT_EQ(ask(1), 64);
  EXPECT_EQ(told.back().what.failure->code, kube::api_errc::cancelled);
}

TEST_F(readers, that_nobody_asks_end) {
  watch_reader forgotten{io.get_executor(), most, std::chrono::milliseconds{1},
                         [this](read_ahead::answer what) { told.push_back(std::move(what)); }};
  asio::co_spawn(io, forgotten.read([this] { return next(); }), [this](std::exception_ptr) { over = true; });
  io.run();
  EXPECT_TRUE(over);
  EXPECT_EQ(reads, most);
  forgotten.ask(1);
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told.front().what.events.size(), most);
  ASSERT_TRUE(told.front().what.failure);
  EXPECT_EQ(told.front().what.failure->message, "nobody asked what came of the watch");
}

TEST_F(readers, tell_why_a_watch_was_not_opened) {
  reader.ask(1);
  reader.end(because(kube::api_errc::gone));
  ASSERT_EQ(told.size(), 1U);
  EXPECT_TRUE(told.front().what.ended);
  EXPECT_EQ(told.front().what.failure->code, kube::api_errc::gone);
}

}  // namespace
}  // namespace egress
