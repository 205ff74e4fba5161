#include "actors/leader/leader_actor.hpp"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/send.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include "tests/actor/scripted_api.hpp"
#include "tests/actor/virtual_time.hpp"

namespace egress {
namespace {

using kube::api_errc;
using kube::verb;

// What the others were told.
struct record {
  int reconcile_all = 0;
  std::vector<bool> changes;
  health_report health;
  bool released = false;
};

dispatcher_actor::behavior_type dispatcher(dispatcher_actor::pointer, record* seen) {
  return {[](const directory_ptr&) {},
          [](const payload<informer_update>&) { return ok_atom{}; },
          [](tick_atom, std::uint64_t) {},
          [](const payload<reconcile_result>&) {},
          [seen](leading_atom) { ++seen->reconcile_all; },
          [](drain_atom) { return ok_atom{}; }};
}

metrics_actor::behavior_type witness(metrics_actor::pointer, record* seen) {
  return {[](const directory_ptr&) {},
          [seen](const payload<health_report>& report) { seen->health = *report; }};
}

caf::behavior ask_to_release(caf::event_based_actor* self, const leader_actor& whom, record* seen) {
  self->request(whom, seconds{5}, release_atom{})
      .then([seen](ok_atom) { seen->released = true; }, [](const caf::error&) {});
  return {[](int) {}};
}

std::string lease_json(const std::string& holder, int version) {
  return fmt::format(R"({{"metadata":{{"name":"egress-operator","resourceVersion":"{}"}},)"
                     R"("spec":{{"holderIdentity":"{}","leaseDurationSeconds":30,"leaseTransitions":1}}}})",
                     version, holder);
}

struct electing : ::testing::Test {
  electing() {
    api = world.system().spawn(test::scripted_api, &script);
    others = world.system().spawn(dispatcher, &seen);
    metrics = world.system().spawn(witness, &seen);
    start();
  }
  ~electing() override {
    kill(subject);
    for (const auto& one : askers) caf::anon_send_exit(one, caf::exit_reason::kill);
    kill(api);
    kill(others);
    kill(metrics);
  }
  template <class Handle>
  void kill(const Handle& whom) {
    caf::anon_send_exit(whom, caf::exit_reason::kill);
    world.settle();
  }

  void start() {
    leader_config config;
    config.settings.name_space = "ns";
    config.settings.identity = "me";
    config.deadline = deadline;
    config.changed = [this](bool leads) { seen.changes.push_back(leads); };
    config.clock = [this] { return now(); };
    subject = world.system().spawn(leader_behavior, config);
    auto everyone = std::make_shared<directory>();
    everyone->kube_api = api;
    everyone->dispatcher = others;
    everyone->metrics = metrics;
    caf::anon_send(subject, directory_ptr{everyone});
    world.settle();
  }
  leader::boot_time now() { return leader::boot_time{world.now().time_since_epoch()}; }
  bool may_write() { return deadline->open_at(now()); }

  // The one request under way; it must be of this kind.
  std::uint64_t expect(verb what) {
    EXPECT_EQ(script.requests.size(), 1u);
    if (script.requests.empty()) return 0;
    const auto asked = script.next_request();
    EXPECT_EQ(asked.what.what, what);
    EXPECT_EQ(asked.what.of, kube::kind::lease);
    EXPECT_EQ(asked.what.name_space, "ns");
    EXPECT_EQ(asked.what.name, what == verb::create ? "" : "egress-operator");
    body = asked.what.body;
    return asked.ticket;
  }
  void answer(std::uint64_t ticket, kube::reply with) {
    test::answer(api, ticket, std::move(with));
    world.settle();
  }
  void answer(std::uint64_t ticket, const std::string& json) {
    answer(ticket, kube::reply{kube::document{json, nullptr}});
  }
  // As the server stores what was sent last.
  void accept(std::uint64_t ticket) {
    auto document = boost::json::parse(body).as_object();
    document["metadata"].as_object()["resourceVersion"] = std::to_string(++version);
    answer(ticket, boost::json::serialize(document));
  }
  void lead() {
    answer(expect(verb::get), std::unexpected(test::failure(api_errc::not_found)));
    accept(expect(verb::create));
    ASSERT_TRUE(may_write());
  }
  void release() {
    askers.push_back(world.system().spawn(ask_to_release, subject, &seen));
    world.settle();
  }

  record seen;
  test::api_script script;
  std::string body;
  int version = 10;
  std::shared_ptr<leader::write_deadline> deadline = std::make_shared<leader::write_deadline>();
  test::virtual_system world;
  kube_api_actor api;
  dispatcher_actor others;
  metrics_actor metrics;
  leader_actor subject;
  std::vector<caf::actor> askers;
};

TEST_F(electing, who_gains_the_lease_may_write_and_has_everything_reconciled) {
  EXPECT_FALSE(may_write());
  EXPECT_EQ(seen.changes, std::vector<bool>{false});
  lead();
  EXPECT_EQ(seen.reconcile_all, 1);
  EXPECT_EQ(seen.changes, (std::vector<bool>{false, true}));
  EXPECT_EQ(seen.health.says, "me (this replica)");
}

TEST_F(electing, a_renewal_every_two_seconds_moves_the_deadline) {
  lead();
  for (int i = 0; i < 30; ++i) {
    world.advance(seconds{2});
    accept(expect(verb::replace));
    ASSERT_TRUE(may_write());
  }
  EXPECT_EQ(seen.reconcile_all, 1);
  EXPECT_TRUE(deadline->open_at(now() + seconds{20} - std::chrono::nanoseconds{1}));
  EXPECT_FALSE(deadline->open_at(now() + seconds{20}));
}

TEST_F(electing, unanswered_renewals_shut_the_gate_after_twenty_seconds_and_it_goes_on_asking) {
  lead();
  world.advance(milliseconds{19'990});
  EXPECT_TRUE(may_write());
  world.advance(milliseconds{10});
  EXPECT_FALSE(may_write());
  EXPECT_EQ(seen.changes, (std::vector<bool>{false, true, false}));
  script.requests.clear();
  world.advance(seconds{10});
  EXPECT_FALSE(script.requests.empty());
  EXPECT_TRUE(seen.health.ready) << "a replica that lost the Lease serves DNS";
}

TEST_F(electing, an_answer_that_comes_after_its_time_changes_nothing) {
  lead();
  world.advance(seconds{2});
  const auto late = expect(verb::replace);
  world.advance(seconds{19});
  accept(late);
  EXPECT_FALSE(may_write());
}

TEST_F(electing, a_conflict_is_looked_into_and_another_holder_ends_the_writing_at_once) {
  lead();
  world.advance(seconds{2});
  answer(expect(verb::replace), std::unexpected(test::failure(api_errc::conflict)));
  EXPECT_TRUE(may_write());
  answer(expect(verb::get), lease_json("other", 20));
  EXPECT_FALSE(may_write());
  EXPECT_EQ(seen.health.says, "other");
}

TEST_F(electing, a_follower_is_ready_asks_again_and_writes_nothing) {
  for (int i = 0; i < 5; ++i) {
    answer(expect(verb::get), lease_json("other", 20 + i));
    EXPECT_TRUE(script.requests.empty());
    world.advance(milliseconds{4'400});
  }
  EXPECT_FALSE(may_write());
  EXPECT_TRUE(seen.health.ready);
  EXPECT_EQ(seen.health.says, "other");
}

// A watch of the Lease is under way; what it gives now.
struct watching : electing {
  std::uint64_t expect_poll() {
    EXPECT_EQ(script.polls.size(), 1u);
    if (script.polls.empty()) return 0;
    const auto asked = script.next_poll();
    EXPECT_EQ(asked.what.what.of, kube::kind::lease);
    EXPECT_EQ(asked.what.what.name, "egress-operator");
    EXPECT_EQ(asked.what.what.name_space, "ns");
    streams.push_back(asked.what.stream);
    return asked.ticket;
  }
  void give(std::uint64_t ticket, kube::watch_chunk chunk) {
    test::answer(api, ticket, std::move(chunk));
    world.settle();
  }
  static kube::watch_chunk event(kube::event_type type, std::string json) {
    kube::watch_event made;
    made.type = type;
    made.resource_version = "1";
    made.json = std::move(json);
    return {{std::move(made)}, false, {}};
  }
  void follow() { answer(expect(verb::get), lease_json("other", ++version)); }
  std::vector<std::uint64_t> streams;
};

TEST_F(watching, a_lease_that_is_handed_on_is_taken_at_once) {
  follow();
  give(expect_poll(), event(kube::event_type::added, lease_json("other", 20)));
  EXPECT_TRUE(script.requests.empty());
  give(expect_poll(), event(kube::event_type::modified, lease_json("", 22)));
  accept(expect(verb::replace));
  EXPECT_TRUE(may_write());
  EXPECT_EQ(script.closed, std::vector{streams.front()}) << "a leader needs no watch";
}

TEST_F(watching, an_answer_older_than_the_hand_over_is_asked_for_again) {
  follow();
  const auto poll = expect_poll();
  world.advance(milliseconds{4'400});
  const auto get = expect(verb::get);
  give(poll, event(kube::event_type::modified, lease_json("", 22)));
  answer(get, lease_json("other", 21));
  answer(expect(verb::get), lease_json("", 22));
  accept(expect(verb::replace));
  EXPECT_TRUE(may_write());
}

TEST_F(watching, a_watch_that_ends_is_opened_again_with_the_next_answer) {
  follow();
  give(expect_poll(), {{}, true, {}});
  EXPECT_TRUE(script.polls.empty());
  world.advance(milliseconds{4'400});
  follow();
  expect_poll();
  EXPECT_NE(streams.front(), streams.back());
}

TEST_F(watching, a_refused_watch_is_left_alone_for_a_minute) {
  follow();
  give(expect_poll(), {{}, true, test::failure(api_errc::forbidden)});
  for (int i = 0; i < 13; ++i) {
    world.advance(milliseconds{4'400});
    follow();
    EXPECT_TRUE(script.polls.empty());
  }
  world.advance(milliseconds{4'400});
  follow();
  expect_poll();
}

TEST_F(watching, a_leader_that_lost_the_lease_watches_again) {
  lead();
  EXPECT_TRUE(script.polls.empty());
  world.advance(seconds{2});
  answer(expect(verb::replace), std::unexpected(test::failure(api_errc::conflict)));
  answer(expect(verb::get), lease_json("other", 20));
  expect_poll();
}

TEST_F(watching, what_is_no_lease_and_bookmarks_change_nothing) {
  follow();
  give(expect_poll(), event(kube::event_type::bookmark, ""));
  give(expect_poll(), event(kube::event_type::modified, "[]"));
  expect_poll();
  EXPECT_TRUE(script.requests.empty());
  EXPECT_EQ(seen.health.says, "other");
}

TEST_F(electing, a_lease_without_namespace_is_tried_again_later) {
  answer(expect(verb::get), std::unexpected(test::failure(api_errc::not_found)));
  answer(expect(verb::create), std::unexpected(test::failure(api_errc::not_found)));
  EXPECT_TRUE(script.requests.empty());
  world.advance(milliseconds{4'400});
  expect(verb::get);
}

TEST_F(electing, an_answer_that_is_no_lease_is_a_failure_like_others) {
  answer(expect(verb::get), std::string{"[]"});
  EXPECT_TRUE(script.requests.empty());
  EXPECT_FALSE(may_write());
  world.advance(milliseconds{4'400});
  expect(verb::get);
}

TEST_F(electing, a_successor_shuts_the_gate_and_earns_it_again) {
  lead();
  kill(subject);
  EXPECT_TRUE(may_write()) << "the Lease is held until the deadline, whoever died";
  start();
  EXPECT_FALSE(may_write());
  answer(expect(verb::get), lease_json("me", version));
  accept(expect(verb::replace));
  EXPECT_TRUE(may_write());
  EXPECT_EQ(seen.reconcile_all, 2);
}

TEST_F(electing, release_shuts_the_gate_first_and_ends_when_the_server_has_it) {
  lead();
  release();
  EXPECT_FALSE(may_write());
  EXPECT_FALSE(seen.released);
  const auto ticket = expect(verb::replace);
  EXPECT_NE(body.find(R"("holderIdentity":"")"), std::string::npos) << body;
  accept(ticket);
  EXPECT_TRUE(seen.released);
  world.advance(seconds{60});
  EXPECT_TRUE(script.requests.empty()) << "what was released is not taken again";
}

TEST_F(electing, release_waits_for_a_renewal_under_way) {
  lead();
  world.advance(seconds{2});
  const auto renewal = expect(verb::replace);
  release();
  EXPECT_FALSE(may_write());
  EXPECT_TRUE(script.requests.empty());
  accept(renewal);
  EXPECT_FALSE(may_write());
  accept(expect(verb::replace));
  EXPECT_TRUE(seen.released);
}

TEST_F(electing, a_follower_has_nothing_to_release) {
  answer(expect(verb::get), lease_json("other", 20));
  release();
  EXPECT_TRUE(seen.released);
  EXPECT_TRUE(script.requests.empty());
}

}  // namespace
}  // namespace egress
