// Who consumes updates subscribes once to each informer, however often directories come.

#include <gtest/gtest.h>

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include "actors/dns/dns_actor.hpp"
#include "actors/reconciler/dispatcher_actor.hpp"
#include "tests/actor/virtual_time.hpp"

namespace egress {
namespace {

informer_actor::behavior_type counting(informer_actor::pointer, int* subscribed) {
  return {[](const directory_ptr&) {},
          [subscribed](subscribe_atom, const update_consumer&) { ++*subscribed; },
          [](list_anew_atom) { return ok_atom{}; }, [](tick_atom, std::uint64_t) {}, [](watchdog_atom) {}};
}

struct subscriptions : ::testing::Test {
  void TearDown() override {
    for (const auto& one : ended) caf::anon_send_exit(one, caf::exit_reason::kill);
    world.settle();
  }
  template <class Handle>
  Handle until_the_end(Handle made) {
    ended.push_back(caf::actor_cast<caf::actor>(made));
    return made;
  }
  informer_actor informer(int& subscribed) {
    return until_the_end(world.system().spawn(counting, &subscribed));
  }
  // A directory in which Services have this informer.
  template <class Consumer>
  void tell(const Consumer& consumer, const informer_actor& services) {
    auto everyone = std::make_shared<directory>();
    everyone->informers[static_cast<std::size_t>(kube::kind::service)] = services;
    caf::anon_send(consumer, directory_ptr{everyone});
    world.settle();
  }
  template <class Consumer>
  void subscribes_once_to_each(const Consumer& consumer) {
    int to_first = 0, to_second = 0;
    const auto first = informer(to_first), second = informer(to_second);
    for (int i = 0; i < 3; ++i) tell(consumer, first);
    EXPECT_EQ(to_first, 1);
    tell(consumer, {});
    tell(consumer, second);
    EXPECT_EQ(to_first, 1);
    EXPECT_EQ(to_second, 1) << "it was started anew";
    TearDown();
    ended.clear();
  }

  test::virtual_system world;
  std::vector<caf::actor> ended;
};

TEST_F(subscriptions, of_the_dispatcher_are_one_for_each_informer) {
  subscribes_once_to_each(until_the_end(world.system().spawn(dispatcher_behavior, dispatcher_config{})));
}

TEST_F(subscriptions, of_dns_are_one_for_each_informer) {
  subscribes_once_to_each(until_the_end(world.system().spawn(dns_behavior, dns_actor_config{})));
}

}  // namespace
}  // namespace egress
