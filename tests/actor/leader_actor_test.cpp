#include "actors/leader/leader_actor.hpp"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/send.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <map>

#include "tests/actor/scripted_api.hpp"
#include "tests/actor/virtual_time.hpp"

namespace egress {
namespace {

using kube::api_errc;
using kube::verb;

// What the others were told.
struct record {
  std::vector<std::uint64_t> terms;  // that the dispatcher was told of
  std::vector<kube::kind> asked;     // to list anew, and
  bool lists = true;                 // whether they do it at once
  std::vector<bool> changes;
  health_report health;
  bool released = false;
};

dispatcher_actor::behavior_type dispatcher(dispatcher_actor::pointer, record* seen) {
  return {[](const directory_ptr&) {},
          [](const payload<informer_update>&) { return ok_atom{}; },
          [](tick_atom, std::uint64_t) {},
          [](watchdog_atom) {},
          [](const payload<reconcile_result>&) {},
          [seen](leading_atom, std::uint64_t term) { seen->terms.push_back(term); },
          [](drain_atom) { return ok_atom{}; }};
}

// Lists anew when it is told to.
using test_informer = informer_actor::extend<caf::reacts_to<start_atom>>;
struct informer_stand_in_state {
  static inline const char* name = "informer_stand_in";
  std::vector<caf::typed_response_promise<ok_atom>> owed;
};

test_informer::behavior_type informer(test_informer::stateful_pointer<informer_stand_in_state> self,
                                      kube::kind of, record* seen) {
  return {[](const directory_ptr&) {},
          [](subscribe_atom, const update_consumer&) {},
          [self, of, seen](list_anew_atom) {
            seen->asked.push_back(of);
            auto promise = self->make_response_promise<ok_atom>();
            if (seen->lists)
              promise.deliver(ok_atom{});
            else
              self->state.owed.push_back(promise);
            return promise;
          },
          [](tick_atom, std::uint64_t) {},
          [](watchdog_atom) {},
          [self](start_atom) {
            for (auto& one : self->state.owed) one.deliver(ok_atom{});
            self->state.owed.clear();
          }};
}

constexpr std::array decisive{kube::kind::external_service, kube::kind::deployment, kube::kind::service};

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
    for (const auto of : decisive) informers[of] = world.system().spawn(informer, of, &seen);
    start();
  }
  ~electing() override {
    kill(subject);
    for (const auto& one : askers) caf::anon_send_exit(one, caf::exit_reason::kill);
    kill(api);
    kill(others);
    kill(metrics);
    for (const auto& [of, one] : informers) kill(one);
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
    send_directory();
  }
  void send_directory() {
    auto everyone = std::make_shared<directory>();
    everyone->kube_api = api;
    everyone->dispatcher = others;
    everyone->metrics = metrics;
    for (const auto& [of, one] : informers) everyone->informers[static_cast<std::size_t>(of)] = one;
    caf::anon_send(subject, directory_ptr{everyone});
    world.settle();
  }
  leader::boot_time now() { return leader::boot_time{world.now().time_since_epoch()}; }
  bool may_write() { return !seen.terms.empty() && deadline->open_at(now(), seen.terms.back()); }

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
  void take_the_lease() {
    answer(expect(verb::get), std::unexpected(test::failure(api_errc::not_found)));
    accept(expect(verb::create));
  }
  void lead() {
    take_the_lease();
    ASSERT_TRUE(may_write());
  }
  // What those that were asked owe.
  void list(kube::kind of) {
    caf::anon_send(informers[of], start_atom{});
    world.settle();
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
  std::map<kube::kind, test_informer> informers;
  leader_actor subject;
  std::vector<caf::actor> askers;
};

TEST_F(electing, who_gains_the_lease_may_write_and_has_everything_reconciled) {
  EXPECT_FALSE(may_write());
  EXPECT_EQ(seen.changes, std::vector<bool>{false});
  lead();
  EXPECT_EQ(seen.terms.size(), 1u);
  EXPECT_EQ(seen.changes, (std::vector<bool>{false, true}));
  EXPECT_EQ(seen.health.says, "me (this replica)");
}

TEST_F(electing, nothing_is_written_before_what_decides_has_been_listed_anew) {
  seen.lists = false;
  take_the_lease();
  EXPECT_EQ(seen.changes, (std::vector<bool>{false, true}));
  EXPECT_EQ(seen.asked, std::vector(decisive.begin(), decisive.end()));
  world.advance(seconds{2});
  accept(expect(verb::replace));
  list(kube::kind::external_service);
  list(kube::kind::service);
  EXPECT_TRUE(seen.terms.empty());
  EXPECT_FALSE(deadline->open_at(now(), 0));
  list(kube::kind::deployment);
  EXPECT_TRUE(may_write());
  EXPECT_FALSE(deadline->open_at(now() + seconds{20}, 1)) << "the renewals move it, whenever it was opened";
}

TEST_F(electing, a_list_that_comes_after_the_lease_was_lost_opens_nothing) {
  seen.lists = false;
  take_the_lease();
  world.advance(seconds{20});
  EXPECT_EQ(seen.changes, (std::vector<bool>{false, true, false}));
  for (const auto of : decisive) list(of);
  EXPECT_TRUE(seen.terms.empty());
  EXPECT_FALSE(deadline->open_at(now(), 0));
}

TEST_F(electing, an_informer_that_died_is_asked_when_it_is_back) {
  seen.lists = false;
  take_the_lease();
  list(kube::kind::external_service);
  list(kube::kind::deployment);
  kill(informers[kube::kind::service]);
  send_directory();
  EXPECT_TRUE(seen.terms.empty());
  seen.lists = true;
  informers[kube::kind::service] = world.system().spawn(informer, kube::kind::service, &seen);
  send_directory();
  EXPECT_TRUE(may_write());
  EXPECT_EQ(seen.asked.size(), decisive.size() + 1) << "the others have done it";
}

TEST_F(electing, a_new_dispatcher_is_told_of_the_term) {
  lead();
  kill(others);
  others = world.system().spawn(dispatcher, &seen);
  send_directory();
  EXPECT_EQ(seen.terms, (std::vector<std::uint64_t>{1, 1}));
}

TEST_F(electing, a_renewal_every_two_seconds_moves_the_deadline) {
  lead();
  for (int i = 0; i < 30; ++i) {
    world.advance(seconds{2});
    accept(expect(verb::replace));
    ASSERT_TRUE(may_write());
  }
  EXPECT_EQ(seen.terms.size(), 1u);
  EXPECT_TRUE(deadline->open_at(now() + seconds{20} - std::chrono::nanoseconds{1}, 1));
  EXPECT_FALSE(deadline->open_at(now() + seconds{20}, 1));
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

TEST_F(watching, a_watch_that_went_with_its_kube_api_is_opened_anew) {
  follow();
  expect_poll();
  kill(api);
  api = world.system().spawn(test::scripted_api, &script);
  send_directory();
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
  EXPECT_EQ(seen.terms, (std::vector<std::uint64_t>{1, 2}));
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
