#include "actors/gateways/gateways_actor.hpp"

#include <gmock/gmock.h>

#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include "tests/actor/virtual_time.hpp"

namespace egress {
namespace {

using gateways::pod_answer;
using done_function = std::function<void(std::vector<pod_answer>)>;
using ::testing::ElementsAre;

payload<gateway_question> about(std::vector<std::string> addresses) {
  return std::make_shared<const gateway_question>(
      gateway_question{std::move(addresses), 11000, {"a_TCP_443"}});
}

// Sends the questions it gets, and notes the answers.
using asking_actor = caf::typed_actor<caf::reacts_to<gateways_actor, payload<gateway_question>>>;
asking_actor::behavior_type asking(asking_actor::pointer self, std::vector<payload<gateway_answer>>* into) {
  return {[self, into](const gateways_actor& to, const payload<gateway_question>& what) {
    self->request(to, seconds{10}, what)
        .then([into](const payload<gateway_answer>& answer) { into->push_back(answer); },
              [](const caf::error&) {});
  }};
}

struct asked : ::testing::Test {
  void spawn(pods_asker with) {
    to = world.system().spawn(gateways_behavior, std::move(with));
    from = world.system().spawn(asking, &answers);
  }
  void TearDown() override {
    caf::anon_send_exit(from, caf::exit_reason::kill);
    caf::anon_send_exit(to, caf::exit_reason::kill);
    world.settle();
  }
  test::virtual_system world;
  std::vector<payload<gateway_answer>> answers;
  gateways_actor to;
  asking_actor from;
};

TEST_F(asked, two_questions_at_once_get_each_its_own_answer) {
  std::vector<done_function> under_way;
  spawn([&](const gateway_question&, done_function done) { under_way.push_back(std::move(done)); });
  caf::anon_send(from, to, about({"10.0.0.1"}));
  caf::anon_send(from, to, about({"10.0.0.2"}));
  world.settle();
  ASSERT_EQ(under_way.size(), 2u);
  under_way[1]({pod_answer{{"second"}, {}}});
  under_way[0]({pod_answer{{"first"}, {}}});
  world.settle();
  ASSERT_EQ(answers.size(), 2u);
  EXPECT_THAT(answers[0]->pods.at(0).listeners, ElementsAre("second"));
  EXPECT_THAT(answers[1]->pods.at(0).listeners, ElementsAre("first"));
}

TEST_F(asked, an_answer_that_comes_after_its_death_harms_nothing) {
  done_function late;
  spawn([&](const gateway_question&, done_function done) { late = std::move(done); });
  caf::anon_send(from, to, about({"10.0.0.1"}));
  world.settle();
  caf::anon_send_exit(to, caf::exit_reason::kill);
  to = nullptr;
  world.settle();
  late({});
  world.settle();
  EXPECT_TRUE(answers.empty());
  to = world.system().spawn(gateways_behavior, played_pods());
}

TEST_F(asked, played_pods_have_what_is_looked_for) {
  spawn(played_pods());
  caf::anon_send(from, to, about({"127.96.0.1", "127.96.0.2"}));
  world.settle();
  ASSERT_EQ(answers.size(), 1u);
  ASSERT_EQ(answers[0]->pods.size(), 2u);
  for (const auto& pod : answers[0]->pods) EXPECT_THAT(pod.listeners, ElementsAre("a_TCP_443"));
}

}  // namespace
}  // namespace egress
