// Actors on an I/O thread, in real time: that thread alone runs them, nothing sent is lost, timers come when
// they are due, and sockets have their turn.
#include "runtime/actor/io_scheduler.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/post.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>
#include <future>
#include <memory>
#include <optional>
#include <vector>

#include "runtime/actor/io_thread.hpp"
#include "runtime/actor/system.hpp"

namespace egress {
namespace {

constexpr seconds patience{20};

struct io_actors : ::testing::Test {
  // What `make` gives once it has run on the I/O thread.
  template <class Make>
  auto on_thread(Make make) {
    std::promise<decltype(make())> made;
    boost::asio::post(thread.context(), [&] { made.set_value(make()); });
    return made.get_future().get();
  }
  std::thread::id io() {
    return on_thread([] { return std::this_thread::get_id(); });
  }

  io_thread thread{"test-io"};
  system_config config{thread.context()};
  std::optional<caf::actor_system> system{std::in_place, config};
};

template <class T>
bool came(std::future<T>& what) {
  return what.wait_for(patience) == std::future_status::ready;
}

TEST_F(io_actors, run_on_the_thread_whoever_sends) {
  std::promise<std::vector<std::thread::id>> seen;
  auto all = seen.get_future();
  const auto second = system->spawn([&seen](caf::event_based_actor*) -> caf::behavior {
    return {[&seen, ids = std::vector<std::thread::id>{}](int) mutable {
      ids.push_back(std::this_thread::get_id());
      if (ids.size() == 2) seen.set_value(ids);
    }};
  });
  const auto first = system->spawn([second](caf::event_based_actor* self) -> caf::behavior {
    return {[self, second](int what) { self->send(second, what); }};
  });
  caf::anon_send(first, 1);
  boost::asio::post(thread.context(), [second] { caf::anon_send(second, 2); });
  ASSERT_TRUE(came(all));
  EXPECT_THAT(all.get(), ::testing::Each(io()));
}

TEST_F(io_actors, get_every_message_of_every_thread_in_its_order) {
  constexpr int senders = 4, messages = 20'000;
  std::promise<bool> done;
  auto in_order = done.get_future();
  const auto counter = system->spawn([&done](caf::event_based_actor*) -> caf::behavior {
    return {
        [&done, next = std::vector<int>(senders), count = 0, right = true](int sender, int number) mutable {
          right = right && next[static_cast<std::size_t>(sender)]++ == number;
          if (++count == senders * messages) done.set_value(right);
        }};
  });
  {
    std::vector<std::jthread> threads;
    for (int sender = 0; sender < senders; ++sender)
      threads.emplace_back([counter, sender] {
        for (int i = 0; i < messages; ++i) caf::anon_send(counter, sender, i);
      });
  }
  ASSERT_TRUE(came(in_order));
  EXPECT_TRUE(in_order.get());
}

TEST_F(io_actors, get_delayed_messages_when_they_are_due_in_the_order_of_their_times) {
  std::promise<std::vector<int>> done;
  auto order = done.get_future();
  const auto began = std::chrono::steady_clock::now();
  system->spawn([&done](caf::event_based_actor* self) -> caf::behavior {
    // The later ones are set first: an earlier one moves the timer.
    for (const int after : {60, 30, 0, 45, 15}) self->delayed_send(self, milliseconds{after}, after);
    return {[&done, got = std::vector<int>{}](int which) mutable {
      got.push_back(which);
      if (got.size() == 5) done.set_value(got);
    }};
  });
  ASSERT_TRUE(came(order));
  EXPECT_THAT(order.get(), ::testing::ElementsAre(0, 15, 30, 45, 60));
  EXPECT_GE(std::chrono::steady_clock::now() - began, milliseconds{60});
}

TEST_F(io_actors, are_told_that_a_request_was_not_answered_in_time) {
  std::promise<caf::error> failed;
  auto why = failed.get_future();
  const auto silent = system->spawn([](caf::event_based_actor* self) -> caf::behavior {
    return {[self, kept = std::vector<caf::response_promise>{}](int) mutable {
      kept.push_back(self->make_response_promise());
      return kept.back();
    }};
  });
  system->spawn([silent, &failed](caf::event_based_actor* self) {
    self->request(silent, milliseconds{20}, 1)
        .then([](int) {}, [&failed](const caf::error& error) { failed.set_value(error); });
  });
  ASSERT_TRUE(came(why));
  EXPECT_EQ(why.get(), caf::sec::request_timeout);
  caf::anon_send_exit(silent, caf::exit_reason::kill);
}

TEST_F(io_actors, that_never_rest_leave_sockets_and_others_their_turn) {
  const auto busy = system->spawn([](caf::event_based_actor* self) -> caf::behavior {
    self->send(self, 1);
    return {[self](int next) { self->send(self, next); }};
  });
  for (int i = 0; i < 100; ++i) EXPECT_EQ(on_thread([i] { return i; }), i);
  caf::scoped_actor self{*system};
  const auto echo =
      system->spawn([](caf::event_based_actor*) -> caf::behavior { return {[](int what) { return what; }}; });
  for (int i = 0; i < 100; ++i)
    self->request(echo, patience, i)
        .receive([i](int what) { EXPECT_EQ(what, i); }, [](const caf::error&) { FAIL(); });
  caf::anon_send_exit(busy, caf::exit_reason::kill);
}

// With a timer of an hour, one that is due at the same time, and messages under way: its own to whom it may
// concern.
TEST_F(io_actors, that_are_left_when_the_system_ends_are_let_go_with_their_timers) {
  const auto kept = std::make_shared<int>(0);
  for (int i = 0; i < 50; ++i)
    system->spawn([kept, i](caf::event_based_actor* self) -> caf::behavior {
      self->delayed_send(self, std::chrono::hours{1}, 1);
      self->delayed_send(self, milliseconds{i % 3}, 1);
      self->set_exit_handler([self](caf::exit_msg&) { self->quit(); });
      return {[self, kept](int) { self->send(self, 1); }};
    });
  system->await_actors_before_shutdown(false);
  system.emplace(config);
  EXPECT_EQ(kept.use_count(), 1);
}

TEST(io_thread, rests_after_what_was_ready_and_runs_what_came_meanwhile) {
  std::promise<void> asked_often;
  std::atomic<int> asked = 0;
  io_thread thread{"test-io"};
  thread.rest_by([&] {
    if (++asked == 3) asked_often.set_value();
    return std::chrono::microseconds{asked < 3 ? 500 : 0};
  });
  auto often = asked_often.get_future();
  for (int i = 0; i < 100 && often.wait_for(milliseconds{0}) != std::future_status::ready; ++i) {
    std::promise<void> ran;
    boost::asio::post(thread.context(), [&ran] { ran.set_value(); });
    auto done = ran.get_future();
    ASSERT_EQ(done.wait_for(patience), std::future_status::ready);
  }
  EXPECT_EQ(often.wait_for(patience), std::future_status::ready);
}

TEST(io_thread, goes_on_when_a_handler_throws) {
  io_thread thread{"test-io"};
  boost::asio::post(thread.context(), [] { throw std::runtime_error("of the test"); });
  std::promise<void> ran;
  boost::asio::post(thread.context(), [&ran] { ran.set_value(); });
  auto done = ran.get_future();
  EXPECT_EQ(done.wait_for(patience), std::future_status::ready);
}

}  // namespace
}  // namespace egress
