#include "actors/reconciler/dispatcher_actor.hpp"

#include <gtest/gtest.h>

#include "tests/actor/dispatching.hpp"

namespace egress {
namespace {

TEST_F(dispatching, who_becomes_the_leader_reconciles_everything_again) {
  start();
  sync_children();
  update(kind::external_service, {external_service("a"), external_service("b")}, {}, true);
  finish_first();
  caf::anon_send(dispatcher, leading_atom{}, std::uint64_t{7});
  world.settle();
  EXPECT_EQ(shared.under_way.front().work->term, 0u) << "decided before the term";
  EXPECT_EQ(shared.runs["a"] + shared.runs["b"], 3) << "the one under way has its turn when it is done";
  finish_first();
  EXPECT_EQ(shared.runs["a"], 2);
  EXPECT_EQ(shared.runs["b"], 2);
  EXPECT_EQ(shared.under_way.back().work->term, 7u);
}

TEST_F(dispatching, nothing_is_reconciled_before_every_kind_is_known) {
  start();
  update(kind::external_service, {external_service("a")}, {}, true);
  for (const auto of : kube::child_kinds) {
    EXPECT_TRUE(shared.order.empty());
    update(of, {}, {}, true);
  }
  EXPECT_EQ(shared.order, std::vector<std::string>{"a"});
}

TEST_F(dispatching, a_key_never_runs_twice_at_once_and_runs_again_when_it_changed_meanwhile) {
  start();
  update(kind::external_service, {external_service("a")}, {}, true);
  sync_children();
  update(kind::external_service, {external_service("a")});
  update(kind::external_service, {external_service("a")});
  EXPECT_EQ(shared.runs["a"], 1);
  finish_first();
  EXPECT_EQ(shared.runs["a"], 2);
  finish_first();
  EXPECT_EQ(shared.runs["a"], 2);
}

TEST_F(dispatching, no_more_keys_than_allowed_run_at_once) {
  start(2);
  update(kind::external_service, {external_service("a"), external_service("b"), external_service("c")}, {},
         true);
  sync_children();
  EXPECT_EQ(shared.order.size(), 2u);
  finish_first();
  EXPECT_EQ(shared.order.size(), 3u);
}

TEST_F(dispatching, a_persons_change_goes_before_the_initial_list) {
  start(1);
  std::vector<kube::object_ptr> many;
  for (int i = 0; i < 100; ++i) many.push_back(external_service("n" + std::to_string(i)));
  update(kind::external_service, many, {}, true);
  sync_children();
  update(kind::external_service, {external_service("urgent")});
  finish_first();
  EXPECT_EQ(shared.order.at(1), "urgent");
}

TEST_F(dispatching, a_status_that_waits_for_children_under_way_does_not_wait_for_a_run_that_hangs) {
  start(2);
  sync_children();
  update(kind::external_service, {external_service("a"), external_service("b")}, {}, true);
  EXPECT_TRUE(shared.under_way.at(0).work->status_may_wait) << "b is queued";
  EXPECT_TRUE(shared.under_way.at(1).work->status_may_wait) << "a is under way";
  leave_status_for_later();
  EXPECT_EQ(shared.order.back(), "b");
  world.advance(seconds{2});
  EXPECT_EQ(shared.order.back(), "a");
  EXPECT_FALSE(shared.under_way.back().work->status_may_wait);
}

TEST_F(dispatching, while_others_of_the_first_list_wait_for_children_a_status_may_wait) {
  start(1);
  sync_children();
  update(kind::external_service, {external_service("a"), external_service("b"), external_service("c")}, {},
         true);
  EXPECT_TRUE(shared.under_way.front().work->status_may_wait);
  update(kind::external_service, {external_service("b")});
  leave_status_for_later();
  EXPECT_EQ(shared.order.back(), "b");
  EXPECT_FALSE(shared.under_way.front().work->status_may_wait) << "somebody changed it";
  update(kind::service, {service_at("a", {})});
  finish_first();
  EXPECT_EQ(shared.order.back(), "a") << "its Service changed";
  EXPECT_TRUE(shared.under_way.front().work->status_may_wait);
  leave_status_for_later();
  EXPECT_EQ(shared.order.back(), "c");
  EXPECT_FALSE(shared.under_way.front().work->status_may_wait) << "nobody else waits";
  finish_first();
  EXPECT_EQ(shared.order.back(), "a");
  EXPECT_FALSE(shared.under_way.front().work->status_may_wait);
  finish_first();
  EXPECT_TRUE(shared.under_way.empty());
}

TEST_F(dispatching, a_reconciler_that_always_throws_backs_off_and_harms_nobody) {
  start();
  shared.throws = "bad";
  update(kind::external_service, {external_service("bad"), external_service("good")}, {}, true);
  sync_children();
  world.advance(seconds{10});
  EXPECT_EQ(shared.runs["good"], 1);
  EXPECT_GE(shared.runs["bad"], 5);
  EXPECT_LE(shared.runs["bad"], 20) << "the queue's back-off must hold";
  ASSERT_FALSE(script.requests.empty());
  EXPECT_EQ(script.requests.front().what.what, kube::verb::patch_status);
  EXPECT_EQ(script.requests.front().what.name, "bad");
}

TEST_F(dispatching, many_reconcilers_that_cannot_be_started_back_off_and_harm_nobody) {
  constexpr int many = 30'000;  // one inside the other they would not fit on a stack
  start();
  shared.cannot_start = [](const std::string& key) { return key != "good"; };
  std::vector<kube::object_ptr> all{external_service("good")};
  for (int i = 0; i < many; ++i) all.push_back(external_service("bad" + std::to_string(i)));
  update(kind::external_service, all, {}, true);
  sync_children();
  EXPECT_EQ(shared.runs["good"], 1);
  EXPECT_GE(shared.refused, many);
  shared.cannot_start = nullptr;
  world.advance(seconds{1});
  EXPECT_EQ(shared.under_way.size(), 16u) << "they are tried again";
}

TEST_F(dispatching, a_failed_run_is_tried_again_and_a_success_is_not) {
  start();
  update(kind::external_service, {external_service("a")}, {}, true);
  sync_children();
  finish_first(false);
  world.advance(milliseconds{50});
  EXPECT_EQ(shared.runs["a"], 2);
  finish_first(true);
  world.advance(seconds{1000});
  EXPECT_EQ(shared.runs["a"], 2);
}

TEST_F(dispatching, the_reconciler_of_a_deleted_external_service_ends) {
  start();
  update(kind::external_service, {external_service("a")}, {}, true);
  sync_children();
  finish_first();
  bool ended = false;
  caf::actor_cast<caf::actor>(shared.spawned.front())->attach_functor([&ended](const caf::error&) {
    ended = true;
  });
  update(kind::external_service, {}, {"a"});
  EXPECT_TRUE(ended);
}

TEST_F(dispatching, reconcilers_without_work_go_and_what_they_remember_stays) {
  start(200);
  std::vector<kube::object_ptr> all;
  for (int i = 0; i < 100; ++i) all.push_back(external_service("es-" + std::to_string(i)));
  update(kind::external_service, all, {}, true);
  sync_children();
  ASSERT_EQ(shared.under_way.size(), 100u);
  for (const auto& one : shared.spawned)
    caf::actor_cast<caf::actor>(one)->attach_functor([seen = &shared](const caf::error&) { ++seen->ended; });
  std::map<std::string, std::shared_ptr<reconciler::memory>> lent;
  for (const auto& one : shared.under_way) lent[one.work->external_service->meta.name] = one.work->memory;
  while (!shared.under_way.empty()) finish_first();
  EXPECT_EQ(shared.ended, 36) << "64 stay for a while";
  for (int i = 0; i < 100; ++i) update(kind::external_service, {external_service("es-" + std::to_string(i))});
  ASSERT_EQ(shared.under_way.size(), 100u);
  EXPECT_GT(shared.spawned.size(), 100u);
  for (const auto& one : shared.under_way)
    EXPECT_EQ(one.work->memory, lent[one.work->external_service->meta.name]);
  EXPECT_FALSE(lent["es-0"] == lent["es-1"]);
}

TEST_F(dispatching, busy_reconcilers_are_told_to_look_for_late_answers_and_nobody_else) {
  start();
  update(kind::external_service, {external_service("a"), external_service("b")}, {}, true);
  sync_children();
  finish_first();
  world.advance(seconds{41});
  EXPECT_EQ(shared.ticks, 2) << "after 20 and 40 s, one of the two";
  finish_first();
  world.advance(seconds{100});
  EXPECT_EQ(shared.ticks, 2);
}

TEST_F(dispatching, a_field_that_the_server_does_not_keep_is_told_to_all_and_observed_once) {
  start(1);
  sync_children();
  update(kind::external_service, {external_service("a"), external_service("b")}, {}, true);
  const reconciler::ineffective_fields x{{"/spec/x", {1}, {2}}};
  finish_first(true, x);
  EXPECT_EQ(shared.under_way.front().work->ineffective[kube::child_index(kind::service)], x);
  finish_first(true, {{"/spec/x", {3}, {4}}});
  update(kind::external_service, {external_service("c")});
  EXPECT_EQ(shared.under_way.front().work->ineffective[kube::child_index(kind::service)].size(), 2u);
  EXPECT_EQ(shared.ineffective, std::vector<std::string>{"Service:/spec/x"});
}

TEST_F(dispatching, without_their_definition_nothing_is_made_for_external_services_that_were_known) {
  start();
  sync_children();
  update(kind::external_service, {external_service("a")}, {}, true);
  finish_first();
  known[static_cast<std::size_t>(kind::external_service)].undefined = true;
  update(kind::external_service, {});
  update(kind::service, {}, {"a"});
  EXPECT_EQ(shared.runs["a"], 1);
  known[static_cast<std::size_t>(kind::external_service)].undefined = false;
  update(kind::external_service, {});
  EXPECT_EQ(shared.runs["a"], 2);
}

TEST_F(dispatching, without_their_definition_nobody_looks_at_what_is_due_again_and_again) {
  start();
  sync_children();
  update(kind::external_service, {external_service("a")}, {}, true);
  finish_first(false);
  known[static_cast<std::size_t>(kind::external_service)].undefined = true;
  update(kind::external_service, {});
  const auto before = shared.looked;
  world.advance(seconds{1});
  EXPECT_LE(shared.looked, before + 1) << "the back-off was over once";
  known[static_cast<std::size_t>(kind::external_service)].undefined = false;
  update(kind::external_service, {});
  EXPECT_EQ(shared.runs["a"], 2);
}

TEST_F(dispatching, an_old_definition_is_told_once_however_many_external_services_meet_it) {
  start();
  sync_children();
  update(kind::external_service, {external_service("a"), external_service("b"), external_service("c")});
  ASSERT_EQ(shared.under_way.size(), 3u);
  while (!shared.under_way.empty()) {
    auto result = std::make_shared<reconcile_result>();
    result->no_status = reconciler::without_status(*shared.under_way.front().work->external_service);
    finish_first(std::move(result));
  }
  EXPECT_EQ(shared.ineffective, std::vector<std::string>{"ExternalService:/status"});
  ASSERT_EQ(script.requests.size(), 1u);
  EXPECT_EQ(script.requests[0].what.of, kind::event);
  EXPECT_EQ(script.requests[0].what.what, kube::verb::create);
  EXPECT_TRUE(script.requests[0].what.body.contains(R"("reason":"StatusUnavailable")"));
}

TEST_F(dispatching, an_event_that_the_server_has_dropped_is_made_anew) {
  start();
  sync_children();
  for (int i = 0; i < 2; ++i) {
    update(kind::external_service, {external_service("a")});
    auto result = std::make_shared<reconcile_result>();
    result->happenings = {
        {.name = "a", .uid = "uid-a", .resource_version = "1", .reason = "NameTaken", .message = "m"}};
    finish_first(std::move(result));
  }
  ASSERT_EQ(script.requests.size(), 2u);
  EXPECT_EQ(script.next_request().what.what, kube::verb::create);
  const auto bump = script.next_request();
  EXPECT_EQ(bump.what.what, kube::verb::patch);
  const auto gone = [&](std::uint64_t ticket) {
    test::answer(api, ticket, kube::reply{std::unexpected(test::failure(kube::api_errc::not_found))});
    world.settle();
  };
  gone(bump.ticket);
  ASSERT_EQ(script.requests.size(), 1u);
  const auto again = script.next_request();
  EXPECT_EQ(again.what.what, kube::verb::create);
  gone(again.ticket);
  EXPECT_TRUE(script.requests.empty()) << "its namespace is not there";
}

TEST_F(dispatching, when_the_dispatcher_dies_its_reconcilers_end_with_it) {
  start();
  update(kind::external_service, {external_service("a")}, {}, true);
  sync_children();
  bool ended = false;
  caf::actor_cast<caf::actor>(shared.spawned.front())->attach_functor([&ended](const caf::error&) {
    ended = true;
  });
  caf::anon_send_exit(dispatcher, caf::exit_reason::kill);
  world.settle();
  EXPECT_TRUE(ended);
}

TEST_F(dispatching, a_thousand_that_are_gone_keep_no_other_waiting) {
  start();
  std::vector<std::string> names;
  for (int i = 0; i < 1000; ++i) names.push_back("x" + std::to_string(i));
  update(kind::external_service, {}, names, true);
  update(kind::external_service, {external_service("a")}, {}, true);
  sync_children();
  EXPECT_EQ(shared.order, std::vector<std::string>{"a"}) << "it was behind them";
}

TEST_F(dispatching, draining_waits_for_the_run_under_way_and_starts_no_other) {
  start(1);
  update(kind::external_service, {external_service("a"), external_service("b")}, {}, true);
  sync_children();
  bool drained = false;
  auto asker = world.system().spawn(ask_to_drain, dispatcher, &drained);
  world.settle();
  EXPECT_FALSE(drained);
  finish_first();
  EXPECT_TRUE(drained);
  EXPECT_EQ(shared.order.size(), 1u);
  caf::anon_send_exit(asker, caf::exit_reason::kill);
  world.settle();
}

}  // namespace
}  // namespace egress
