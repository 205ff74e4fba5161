#include "runtime/actor/read_ahead.hpp"

#include <gtest/gtest.h>

namespace egress {
namespace {

kube::watch_chunk events(std::initializer_list<const char*> versions, bool ended = false) {
  kube::watch_chunk made;
  for (const auto* const version : versions)
    made.events.push_back({.object = {}, .resource_version = version});
  made.ended = ended;
  return made;
}

std::string versions(const kube::watch_chunk& of) {
  std::string text;
  for (const auto& one : of.events) text += one.resource_version;
  return text;
}

TEST(read_ahead, answers_a_poll_with_what_came_before_it) {
  read_ahead watch{8};
  watch.add(events({"1"}));
  EXPECT_FALSE(watch.take()) << "nobody asked";
  watch.add(events({"2", "3"}));
  watch.ask(7);
  const auto answer = watch.take();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->ticket, 7U);
  EXPECT_EQ(versions(answer->what), "123");
  watch.add(events({"4"}));
  EXPECT_FALSE(watch.take()) << "it was answered";
}

TEST(read_ahead, keeps_a_poll_until_something_comes) {
  read_ahead watch{8};
  watch.ask(7);
  EXPECT_FALSE(watch.take());
  watch.add({});
  EXPECT_FALSE(watch.take()) << "a read of no event";
  watch.add(events({"1"}));
  EXPECT_EQ(versions(watch.take()->what), "1");
}

TEST(read_ahead, tells_the_end_behind_the_events_and_once) {
  read_ahead watch{8};
  watch.add(events({"1"}));
  auto end = events({"2"}, true);
  end.failure = kube::api_error{};
  watch.add(std::move(end));
  EXPECT_TRUE(watch.ended());
  watch.ask(7);
  const auto answer = watch.take();
  ASSERT_TRUE(answer);
  EXPECT_EQ(versions(answer->what), "12");
  EXPECT_TRUE(answer->what.ended);
  EXPECT_TRUE(answer->what.failure);
  watch.ask(8);
  EXPECT_FALSE(watch.take());
  EXPECT_TRUE(watch.ended());
}

TEST(read_ahead, ends_an_answer_at_the_end_of_a_streaming_list) {
  read_ahead watch{8};
  auto come = events({"1", "2", "3"}, true);
  come.events[1].initial_events_end = true;
  watch.add(std::move(come));
  watch.ask(7);
  auto list = watch.take();
  EXPECT_EQ(versions(list->what), "12");
  EXPECT_FALSE(list->what.ended);
  watch.ask(8);
  auto changes = watch.take();
  EXPECT_EQ(changes->ticket, 8U);
  EXPECT_EQ(versions(changes->what), "3");
  EXPECT_TRUE(changes->what.ended);
}

TEST(read_ahead, is_full_until_it_is_taken) {
  read_ahead watch{2};
  watch.add(events({"1"}));
  EXPECT_FALSE(watch.full());
  watch.add(events({"2", "3"}));
  EXPECT_TRUE(watch.full());
  watch.ask(7);
  EXPECT_EQ(versions(watch.take()->what), "123");
  EXPECT_FALSE(watch.full());
}

}  // namespace
}  // namespace egress
