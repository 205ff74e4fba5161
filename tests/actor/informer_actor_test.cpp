#include "actors/informer/informer_actor.hpp"

#include <gtest/gtest.h>

#include <caf/event_based_actor.hpp>
#include <caf/send.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include "tests/actor/scripted_api.hpp"
#include "tests/actor/virtual_time.hpp"

namespace egress {
namespace {

kube::object_ptr service(const std::string& name, const std::string& version) {
  auto made = std::make_shared<kube::object>();
  made->of = kube::kind::service;
  made->meta.name = name;
  made->meta.uid = "uid-" + name;
  made->meta.resource_version = version;
  made->body = kube::child{};
  return made;
}

kube::watch_event added(const std::string& name, const std::string& version) {
  return {kube::event_type::added, service(name, version), version, false};
}

kube::watch_event initial_end(const std::string& version) {
  return {kube::event_type::bookmark, nullptr, version, true};
}

// A subscriber that gives its credit only when told to.
struct updates {
  std::vector<payload<informer_update>> seen;
};
struct consumer_state {
  static inline const char* name = "consumer";
  caf::typed_response_promise<ok_atom> owed;
};
using test_consumer = update_consumer::extend<caf::reacts_to<tick_atom>>;

test_consumer::behavior_type consumer(test_consumer::stateful_pointer<consumer_state> self, updates* into) {
  return {[self, into](const payload<informer_update>& update) {
            into->seen.push_back(update);
            self->state.owed = self->make_response_promise<ok_atom>();
            return self->state.owed;
          },
          [self](tick_atom) { self->state.owed.deliver(ok_atom{}); }};
}

struct informer_shell : ::testing::Test {
  void SetUp() override {
    api = world.system().spawn(test::scripted_api, &script);
    informer = world.system().spawn(
        informer_behavior, informer::scope{kube::kind::service, "system", "app=egress-gateway", true});
    reader = world.system().spawn(consumer, &got);
    send_directory();
    caf::anon_send(informer, subscribe_atom{}, update_consumer{reader});
    world.settle();
    answer_size();
  }
  void TearDown() override {
    for (auto& one : stale) caf::anon_send_exit(one, caf::exit_reason::kill);
    caf::anon_send_exit(informer, caf::exit_reason::kill);
    caf::anon_send_exit(api, caf::exit_reason::kill);
    caf::anon_send_exit(reader, caf::exit_reason::kill);
    world.settle();
    script = {};
    got = {};
  }
  void send_directory() {
    auto everyone = std::make_shared<directory>();
    everyone->kube_api = api;
    caf::anon_send(informer, directory_ptr{std::move(everyone)});
    world.settle();
  }
  // How many there are: few enough to stream them.
  void answer_size() {
    if (script.requests.empty()) return;
    EXPECT_EQ(script.requests.front().what.limit, 1);
    kube::list_page one;
    one.resource_version = "1";
    test::answer(api, script.next_request().ticket, kube::reply{std::move(one)});
    world.settle();
  }
  void answer_poll(kube::watch_chunk with) {
    ASSERT_FALSE(script.polls.empty());
    test::answer(api, script.next_poll().ticket, std::move(with));
    world.settle();
  }
  void sync(std::vector<kube::watch_event> events) {
    events.push_back(initial_end("100"));
    answer_size();
    answer_poll({std::move(events), false, {}});
  }

  test::api_script script;
  updates got;
  test::virtual_system world;
  kube_api_actor api;
  informer_actor informer;
  test_consumer reader;
  std::vector<kube_api_actor> stale;
};

// Who remembers what it did on top of an epoch would else take another list for that one.
TEST_F(informer_shell, no_two_lives_have_an_epoch_in_common) {
  sync({added("a", "7")});
  ASSERT_EQ(got.seen.size(), 1u);
  const auto before = got.seen.front()->current.epoch;
  TearDown();
  SetUp();
  sync({added("a", "7")});
  ASSERT_EQ(got.seen.size(), 1u);
  EXPECT_GT(got.seen.front()->current.epoch, before + 1'000'000);
}

TEST_F(informer_shell, asks_for_a_streaming_list_and_publishes_nothing_before_it_is_complete) {
  ASSERT_EQ(script.polls.size(), 1u);
  EXPECT_TRUE(script.polls.front().what.what.send_initial_events);
  EXPECT_EQ(script.polls.front().what.what.label_selector, "app=egress-gateway");
  answer_poll({{added("a", "1")}, false, {}});
  EXPECT_TRUE(got.seen.empty());
  sync({added("b", "2")});
  ASSERT_EQ(got.seen.size(), 1u);
  EXPECT_EQ(got.seen[0]->changed, (std::vector<std::string>{"a", "b"}));
  EXPECT_TRUE(got.seen[0]->initial);
  EXPECT_EQ(got.seen[0]->current.objects.size(), 2u);
}

TEST_F(informer_shell, merges_changes_until_the_subscriber_has_taken_the_update_before) {
  sync({});
  ASSERT_EQ(got.seen.size(), 1u);
  for (int i = 0; i < 50; ++i)
    answer_poll(
        {{added("a", std::to_string(200 + i)), added("b" + std::to_string(i), std::to_string(300 + i))},
         false,
         {}});
  EXPECT_EQ(got.seen.size(), 1u) << "an update without credit";
  caf::anon_send(reader, tick_atom{});
  world.settle();
  ASSERT_EQ(got.seen.size(), 2u);
  EXPECT_EQ(got.seen[1]->changed.size(), 51u);
  EXPECT_FALSE(got.seen[1]->initial);
}

caf::behavior ask_for_a_new_list(caf::event_based_actor* self, const informer_actor& whom, bool* answered) {
  self->request(whom, caf::infinite, list_anew_atom{})
      .then([answered](ok_atom) { *answered = true; }, [](const caf::error&) {});
  return {[](int) {}};
}

TEST_F(informer_shell, a_new_list_is_told_of_when_every_subscriber_has_it) {
  sync({added("a", "1")});
  caf::anon_send(reader, tick_atom{});
  world.settle();
  const auto silent = script.next_poll().what.stream;
  bool answered = false;
  const auto asker = world.system().spawn(ask_for_a_new_list, informer, &answered);
  world.settle();
  EXPECT_EQ(script.closed, std::vector{silent});
  sync({added("a", "1"), added("b", "90")});
  EXPECT_FALSE(answered) << "the subscriber has not taken it";
  ASSERT_EQ(got.seen.size(), 2u);
  EXPECT_EQ(got.seen[1]->changed, std::vector<std::string>{"b"});
  caf::anon_send(reader, tick_atom{});
  world.settle();
  EXPECT_TRUE(answered);
  caf::anon_send_exit(asker, caf::exit_reason::kill);
  world.settle();
}

TEST_F(informer_shell, a_new_list_waits_for_no_subscriber_that_died_with_an_update_in_hand) {
  sync({added("a", "1")});
  bool answered = false;
  const auto asker = world.system().spawn(ask_for_a_new_list, informer, &answered);
  world.settle();
  script.next_poll();  // of the watch that was closed
  sync({added("a", "1")});
  EXPECT_FALSE(answered);
  caf::anon_send_exit(reader, caf::exit_reason::kill);
  world.settle();
  EXPECT_TRUE(answered);
  caf::anon_send_exit(asker, caf::exit_reason::kill);
  world.settle();
}

TEST_F(informer_shell, a_late_subscriber_gets_the_whole_snapshot_at_once) {
  sync({added("a", "1")});
  updates late;
  auto second = world.system().spawn(consumer, &late);
  caf::anon_send(informer, subscribe_atom{}, update_consumer{second});
  world.settle();
  ASSERT_EQ(late.seen.size(), 1u);
  EXPECT_EQ(late.seen[0]->changed, (std::vector<std::string>{"a"}));
  caf::anon_send_exit(second, caf::exit_reason::kill);
  world.settle();
}

TEST_F(informer_shell, a_new_kube_api_actor_makes_it_watch_again_without_waiting_for_a_time_out) {
  sync({added("a", "1")});
  script = {};
  stale.push_back(api);
  api = world.system().spawn(test::scripted_api, &script);
  send_directory();
  world.advance(seconds{3});  // the back-off
  EXPECT_EQ(script.polls.size() + script.requests.size(), 1u);
}

TEST_F(informer_shell, begins_when_there_is_a_way_to_the_api_server) {
  const auto other = world.system().spawn(
      informer_behavior, informer::scope{kube::kind::service, "system", "app=egress-gateway", true});
  const auto before = script.requests.size();
  caf::anon_send(other, directory_ptr{std::make_shared<directory>()});
  world.settle();
  world.advance(seconds{3});
  EXPECT_EQ(script.requests.size(), before);
  auto everyone = std::make_shared<directory>();
  everyone->kube_api = api;
  caf::anon_send(other, directory_ptr{std::move(everyone)});
  world.settle();
  EXPECT_EQ(script.requests.size(), before + 1);
  caf::anon_send_exit(other, caf::exit_reason::kill);
  world.settle();
}

TEST_F(informer_shell, asks_anew_how_many_there_are_when_the_way_to_the_api_server_was_gone_for_long) {
  sync({added("a", "1")});
  answer_poll({{}, true, test::failure(kube::api_errc::gone)});
  caf::anon_send(informer, directory_ptr{std::make_shared<directory>()});  // kube_api waits for its restart
  world.settle();
  world.advance(seconds{5});  // the back-off ends, and nobody can be asked
  script.requests.clear();
  send_directory();
  world.advance(seconds{5});
  ASSERT_EQ(script.requests.size(), 1u);
  EXPECT_EQ(script.requests.front().what.limit, 1);
}

TEST_F(informer_shell, an_answer_that_never_comes_is_a_dead_stream_after_the_guard) {
  sync({added("a", "1")});
  ASSERT_EQ(script.polls.size(), 1u);
  const auto quiet = script.polls.front().what.quiet;
  EXPECT_GE(quiet, seconds{330});
  world.advance(quiet + seconds{10});
  world.advance(seconds{60});
  EXPECT_GE(script.polls.size() + script.requests.size(), 2u);
}

}  // namespace
}  // namespace egress
