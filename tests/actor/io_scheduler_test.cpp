// Actors on an I/O thread, in real time: that thread alone runs them, nothing sent is lost, timers come when
// they are due, and sockets have their turn.
#include "runtime/actor/io_scheduler.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/post.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <vector>

#include "runtime/actor/io_thread.hpp"
#include "runtime/actor/system.hpp"

namespace egress {
namespace {

constexpr seconds patience{20};

template <class T>
bool came(std::future<T>& what) {
  return what.wait_for(patience) == std::future_status::ready;
}

struct io_actors : ::testing::Test {
  // What `make` gives once it has run on the I/O thread.
  template <class Make>
  auto on_thread(Make make) {
    const auto made = std::make_shared<std::promise<decltype(make())>>();
    auto result = made->get_future();
    boost::asio::post(thread.context(), [made, make] { made->set_value(make()); });
    if (!came(result)) throw std::runtime_error("the thread does not come to it");
    return result.get();
  }
  // With an argument: for a function without any CAF 0.17.6 binds a reference to nothing.
  caf::actor spawn(std::function<caf::behavior(caf::event_based_actor*)> how) {
    return system->spawn(
        [](caf::event_based_actor* self, const std::function<caf::behavior(caf::event_based_actor*)>& make) {
          return make(self);
        },
        std::move(how));
  }
  std::thread::id io() {
    return on_thread([] { return std::this_thread::get_id(); });
  }

  io_thread thread{"test-io"};
  system_config config{thread.context()};
  std::optional<caf::actor_system> system{std::in_place, config};
};

TEST_F(io_actors, run_on_the_thread_whoever_sends) {
  std::promise<std::vector<std::thread::id>> seen;
  auto all = seen.get_future();
  const auto second = spawn([&seen](caf::event_based_actor*) -> caf::behavior {
    return {[&seen, ids = std::vector<std::thread::id>{}](int) mutable {
      ids.push_back(std::this_thread::get_id());
      if (ids.size() == 2) seen.set_value(ids);
    }};
  });
  const auto first = spawn([second](caf::event_based_actor* self) -> caf::behavior {
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
  const auto counter = spawn([&done](caf::event_based_actor*) -> caf::behavior {
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
  spawn([&done](caf::event_based_actor* self) -> caf::behavior {
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
  const auto silent = spawn([](caf::event_based_actor* self) -> caf::behavior {
    return {[self, kept = std::vector<caf::response_promise>{}](int) mutable {
      kept.push_back(self->make_response_promise());
      return kept.back();
    }};
  });
  spawn([silent, &failed](caf::event_based_actor* self) -> caf::behavior {
    self->request(silent, milliseconds{20}, 1)
        .then([](int) {}, [&failed](const caf::error& error) { failed.set_value(error); });
    return {};
  });
  EXPECT_TRUE(came(why));
  if (came(why)) EXPECT_EQ(why.get(), caf::sec::request_timeout);
  caf::anon_send_exit(silent, caf::exit_reason::kill);
}

// Set and taken back by another thread, while ours is busy: it finds nothing to set a timer for.
TEST_F(io_actors, get_their_timers_after_one_of_another_thread_was_taken_back) {
  std::promise<void> go_on;
  boost::asio::post(thread.context(), [gate = go_on.get_future().share()] { gate.wait_for(patience); });
  auto& clock = system->scheduler().clock();
  {
    caf::scoped_actor self{*system};
    auto* const who = caf::actor_cast<caf::abstract_actor*>(self);
    clock.set_request_timeout(clock.now() + milliseconds{1}, who, caf::make_message_id(7).response_id());
    clock.cancel_timeouts(who);
  }
  go_on.set_value();
  on_thread([] { return 0; });
  std::promise<void> due;
  auto fired = due.get_future();
  spawn([&due](caf::event_based_actor* self) -> caf::behavior {
    self->delayed_send(self, milliseconds{5}, 1);
    return {[&due](int) { due.set_value(); }};
  });
  EXPECT_TRUE(came(fired));
}

TEST_F(io_actors, that_never_rest_leave_sockets_and_others_their_turn) {
  const auto busy = spawn([](caf::event_based_actor* self) -> caf::behavior {
    self->send(self, 1);
    return {[self](int next) { self->send(self, next); }};
  });
  for (int i = 0; i < 100; ++i) EXPECT_EQ(on_thread([i] { return i; }), i);
  caf::scoped_actor self{*system};
  const auto echo =
      spawn([](caf::event_based_actor*) -> caf::behavior { return {[](int what) { return what; }}; });
  for (int i = 0; i < 100; ++i)
    self->request(echo, patience, i)
        .receive([i](int what) { EXPECT_EQ(what, i); }, [](const caf::error&) { FAIL(); });
  caf::anon_send_exit(busy, caf::exit_reason::kill);
}

// With a timer of an hour, some that are due just now, messages under way, and actors that never rest, half
// of them spawned on the thread.
TEST_F(io_actors, that_are_left_when_the_system_ends_are_let_go_with_their_timers) {
  for (int round = 0; round < 100; ++round) {
    const auto kept = std::make_shared<int>(0);
    const auto start = [this, kept](int i) {
      spawn([kept, i](caf::event_based_actor* self) -> caf::behavior {
        self->delayed_send(self, std::chrono::hours{1}, 1);
        self->delayed_send(self, milliseconds{i % 3}, 1);
        return {[self, kept](int) { self->send(self, 1); }};
      });
      return 0;
    };
    for (int i = 0; i < 10; ++i) i % 2 == 0 ? start(i) : on_thread([start, i] { return start(i); });
    system->await_actors_before_shutdown(false);
    system.emplace(config);
    ASSERT_EQ(on_thread([&kept] { return kept.use_count(); }), 2) << "that is `start`'s and ours";
  }
}

TEST(io_thread, rests_when_all_that_was_ready_has_run_and_then_runs_what_came_meanwhile) {
  constexpr milliseconds rest{30};
  std::vector<std::string> happened;
  std::promise<void> resting, done;
  bool rests = false;
  io_thread thread{"test-io"};
  thread.rest_by([&] {
    if (!std::exchange(rests, false)) return std::chrono::microseconds{0};
    happened.emplace_back("rests");
    resting.set_value();
    return std::chrono::microseconds{rest};
  });
  boost::asio::post(thread.context(), [&] {
    rests = true;
    happened.emplace_back("ran");
    boost::asio::post(thread.context(), [&] { happened.emplace_back("ran what that made ready"); });
  });
  auto at_rest = resting.get_future();
  ASSERT_TRUE(came(at_rest));
  const auto began = std::chrono::steady_clock::now();
  boost::asio::post(thread.context(), [&] {
    happened.emplace_back("ran what came");
    done.set_value();
  });
  auto ran = done.get_future();
  ASSERT_TRUE(came(ran));
  EXPECT_THAT(happened, ::testing::ElementsAre("ran", "ran what that made ready", "rests", "ran what came"));
  EXPECT_GE(std::chrono::steady_clock::now() - began, rest / 2) << "it was not woken";
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
