#include "actors/reconciler/dispatcher_actor.hpp"

#include <gtest/gtest.h>

#include <caf/event_based_actor.hpp>
#include <caf/send.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <stdexcept>

#include "tests/actor/scripted_api.hpp"
#include "tests/actor/virtual_time.hpp"

namespace egress {
namespace {

using kube::kind;

kube::object_ptr external_service(const std::string& name, const std::string& dns_name = "") {
  auto made = std::make_shared<kube::object>();
  made->of = kind::external_service;
  made->meta.name = name;
  made->meta.uid = "uid-" + name;
  made->meta.resource_version = "1";
  kube::external_service body;
  body.spec.dns_name = dns_name.empty() ? name + ".example" : dns_name;
  made->body = body;
  return made;
}

kube::object_ptr service_at(const std::string& name, std::vector<std::string> cluster_ips) {
  auto made = std::make_shared<kube::object>();
  made->of = kind::service;
  made->meta.name = name;
  kube::child body;
  body.cluster_ips = std::move(cluster_ips);
  made->body = body;
  return made;
}

kube::object_ptr child_at(kind of, const std::string& name, const std::string& resource_version,
                          kube::child body = {}) {
  auto made = std::make_shared<kube::object>();
  made->of = of;
  made->meta.name = name;
  made->meta.resource_version = resource_version;
  made->body = std::move(body);
  return made;
}

int bit_of(kind of) {
  return 1 << kube::child_index(of);
}

// What the reconcilers of a test were given; they finish only when told to.
struct bench {
  struct given {
    payload<reconcile_work> work;
    dispatcher_actor dispatcher;
  };
  std::deque<given> under_way;
  std::vector<std::string> order;
  std::map<std::string, int> runs;
  std::string throws;  // the key whose reconciler always throws
  std::vector<reconciler_actor> spawned;
  std::vector<std::string> ineffective;  // as observed
  int ticks = 0, ended = 0, looked = 0;  // looked: how often somebody looked at the queue
};

reconciler_actor::behavior_type worker(reconciler_actor::pointer self, bench* shared) {
  log_exceptions(self, "reconciler");
  return {[self, shared](const payload<reconcile_work>& work) {
            const auto& key = work->service->meta.name;
            shared->order.push_back(key);
            ++shared->runs[key];
            if (key == shared->throws) throw std::runtime_error("always");
            shared->under_way.push_back({work, caf::actor_cast<dispatcher_actor>(self->current_sender())});
          },
          [shared](tick_atom) { ++shared->ticks; }};
}

caf::behavior ask_to_drain(caf::event_based_actor* self, const dispatcher_actor& whom, bool* drained) {
  self->request(whom, seconds{30}, drain_atom{})
      .then([drained](ok_atom) { *drained = true; }, [](const caf::error&) {});
  return {[](int) {}};
}

struct dispatching : ::testing::Test {
  void start(unsigned max_concurrent = 16) {
    api = world.system().spawn(test::scripted_api, &script);
    dispatcher_config config;
    config.max_concurrent = max_concurrent;
    config.spawn_reconciler = [this](caf::local_actor* parent, const std::string&) {
      auto made = parent->spawn(worker, &shared);
      shared.spawned.push_back(made);
      return made;
    };
    config.internal_error = [](const kube::object& service) {
      kube::request what;
      what.what = kube::verb::patch_status;
      what.name = service.meta.name;
      return what;
    };
    config.observe.queue = [this](const reconciler::queue_metrics&) { ++shared.looked; };
    config.observe.ineffective = [this](kind of, const std::string& pointer) {
      shared.ineffective.push_back(std::string(kube::info(of).name) + ":" + pointer);
    };
    dispatcher = world.system().spawn(dispatcher_behavior, std::move(config));
    auto everyone = std::make_shared<directory>();
    everyone->kube_api = api;
    caf::anon_send(dispatcher, directory_ptr{everyone});
    world.settle();
  }
  void TearDown() override {
    shared.under_way.clear();
    caf::anon_send_exit(dispatcher, caf::exit_reason::kill);
    caf::anon_send_exit(api, caf::exit_reason::kill);
    world.settle();
    script = {};
    shared.spawned.clear();
  }
  void update(kind of, std::vector<kube::object_ptr> objects, std::vector<std::string> gone = {},
              bool initial = false) {
    auto& now = known[static_cast<std::size_t>(of)];
    now.of = of;
    now.synced = true;
    now.epoch = 1;
    auto sent = std::make_shared<informer_update>();
    for (const auto& one : objects) {
      now.objects.put(one);
      sent->changed.push_back(one->meta.name);
    }
    for (const auto& name : gone) {
      now.objects.erase(name);
      sent->changed.push_back(name);
    }
    sent->current = now;
    sent->initial = initial;
    caf::anon_send(dispatcher, payload<informer_update>{sent});
    world.settle();
  }
  void sync_children() {
    for (const auto of : kube::child_kinds) update(of, {}, {}, true);
  }
  // `ineffective`: fields of its Service that the reconciler saw the server not keep.
  void finish_first(bool success = true, const reconciler::ineffective_fields& ineffective = {}) {
    auto result = std::make_shared<reconcile_result>();
    result->how.success = success;
    result->ineffective[kube::child_index(kind::service)] = ineffective;
    finish_first(std::move(result));
  }
  // The run that began first was answered so to a write.
  void wrote_first(kind of, const std::string& resource_version) {
    const auto& work = *shared.under_way.front().work;
    reconciler::child_outcomes outcomes;
    outcomes[kube::child_index(of)].now = child_at(of, work.service->meta.name, resource_version);
    work.memory->expected.learn({work.children, work.epochs}, outcomes);
  }
  void leave_status_for_later() {
    auto result = std::make_shared<reconcile_result>();
    result->how.status_later = true;
    finish_first(std::move(result));
  }
  void finish_first(std::shared_ptr<reconcile_result> result) {
    const auto first = shared.under_way.front();
    shared.under_way.pop_front();
    result->key = first.work->service->meta.name;
    caf::anon_send(first.dispatcher, payload<reconcile_result>{result});
    world.settle();
  }

  test::api_script script;
  bench shared;
  std::array<kube::published, kube::watched_kinds.size()> known;
  test::virtual_system world;
  kube_api_actor api;
  dispatcher_actor dispatcher;
};

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

TEST_F(dispatching, what_a_first_run_wrote_is_looked_at_with_its_status) {
  start(1);
  sync_children();
  update(kind::external_service, {external_service("a"), external_service("b"), external_service("c")}, {},
         true);
  ASSERT_EQ(shared.order.back(), "a");
  EXPECT_TRUE(shared.under_way.front().work->patient) << "others are behind it";
  wrote_first(kind::service, "5");
  wrote_first(kind::config_map, "6");
  shared.under_way.front().work->memory->rendered.emplace().key.ipv6 = true;
  kube::child as_rendered;
  as_rendered.cluster_ips = {"fd00::4"};
  update(kind::service, {child_at(kind::service, "a", "5", as_rendered)});
  leave_status_for_later();
  EXPECT_EQ(shared.order.back(), "b") << "the event came while it was processed";
  update(kind::config_map, {child_at(kind::config_map, "a", "6")});
  leave_status_for_later();
  EXPECT_EQ(shared.order.back(), "c") << "and this one later";
  EXPECT_FALSE(shared.under_way.front().work->patient);
  leave_status_for_later();
  ASSERT_EQ(shared.order.back(), "a");
  EXPECT_EQ(shared.under_way.front().work->changed, bit_of(kind::service) | bit_of(kind::config_map));
  EXPECT_TRUE(shared.under_way.front().work->patient);
}

TEST_F(dispatching, what_other_children_are_made_by_waits_for_no_status) {
  // Rendered for IPv4, or for IPv6 as other Services have it.
  for (const auto& [ready, rendered_for_ipv6, address] :
       {std::tuple{true, false, ""}, {false, false, "fd00::4"}, {false, true, "10.0.0.4"}}) {
    start(1);
    sync_children();
    update(kind::external_service, {external_service("a"), external_service("b")}, {}, true);
    const auto of = ready ? kind::deployment : kind::service;
    auto& rendered = shared.under_way.front().work->memory->rendered.emplace();
    rendered.key.ipv6 = rendered_for_ipv6;
    wrote_first(of, "5");
    kube::child more;
    if (ready)
      more.ready_replicas = 1;
    else
      more.cluster_ips = {address};
    update(of, {child_at(of, "a", "5", more)});
    leave_status_for_later();
    EXPECT_EQ(shared.order, (std::vector<std::string>{"a", "a"})) << ready << address;
    TearDown();
    shared.order.clear();
    known = {};
  }
}

TEST_F(dispatching, what_somebody_else_did_to_a_child_waits_for_no_status) {
  start(1);
  sync_children();
  update(kind::external_service, {external_service("a"), external_service("b"), external_service("c")}, {},
         true);
  wrote_first(kind::service, "5");
  wrote_first(kind::config_map, "6");
  update(kind::service, {child_at(kind::service, "a", "5")});
  update(kind::config_map, {child_at(kind::config_map, "a", "7")});
  leave_status_for_later();
  EXPECT_EQ(shared.order.back(), "a") << "its ConfigMap was edited while it was processed";
  wrote_first(kind::config_map, "8");
  leave_status_for_later();
  ASSERT_EQ(shared.order.back(), "b");
  update(kind::config_map, {child_at(kind::config_map, "a", "8")});
  update(kind::config_map, {child_at(kind::config_map, "a", "9")});
  leave_status_for_later();
  EXPECT_EQ(shared.order.back(), "a") << "and again, after what was written came";
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
  for (const auto& one : shared.under_way) lent[one.work->service->meta.name] = one.work->memory;
  while (!shared.under_way.empty()) finish_first();
  EXPECT_EQ(shared.ended, 36) << "64 stay for a while";
  for (int i = 0; i < 100; ++i) update(kind::external_service, {external_service("es-" + std::to_string(i))});
  ASSERT_EQ(shared.under_way.size(), 100u);
  EXPECT_GT(shared.spawned.size(), 100u);
  for (const auto& one : shared.under_way) EXPECT_EQ(one.work->memory, lent[one.work->service->meta.name]);
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

TEST_F(dispatching, a_changed_child_tells_its_reconciler_which_kind_changed) {
  start();
  update(kind::external_service, {external_service("a")}, {}, true);
  sync_children();
  finish_first();
  update(kind::service, {}, {"a"});
  ASSERT_EQ(shared.under_way.size(), 1u);
  EXPECT_EQ(shared.under_way.front().work->changed, 1u << kube::child_index(kind::service));
}

TEST_F(dispatching, a_child_that_changed_while_its_owner_was_away_is_told_to_the_run_for_the_next_one) {
  start();
  sync_children();
  update(kind::external_service, {external_service("a")});
  update(kind::external_service, {}, {"a"});
  update(kind::service, {}, {"a"});
  update(kind::external_service, {external_service("a")});
  finish_first();
  ASSERT_EQ(shared.under_way.size(), 1U);
  EXPECT_EQ(shared.under_way.front().work->changed, 1U << kube::child_index(kind::service));
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

TEST_F(dispatching, a_service_with_an_ipv6_address_is_told_to_the_runs_of_all) {
  start();
  sync_children();
  update(kind::external_service, {external_service("a")});
  EXPECT_FALSE(shared.under_way.back().work->ipv6_elsewhere);
  update(kind::service, {service_at("other", {"10.0.0.1", "fd00::4"})});
  update(kind::service, {service_at("another", {"10.0.0.2"})});
  update(kind::external_service, {external_service("b")});
  EXPECT_TRUE(shared.under_way.back().work->ipv6_elsewhere);
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
    result->no_status = reconciler::without_status(*shared.under_way.front().work->service);
    finish_first(std::move(result));
  }
  EXPECT_EQ(shared.ineffective, std::vector<std::string>{"ExternalService:/status"});
  ASSERT_EQ(script.requests.size(), 1u);
  EXPECT_EQ(script.requests[0].what.of, kind::event);
  EXPECT_EQ(script.requests[0].what.what, kube::verb::create);
  EXPECT_TRUE(script.requests[0].what.body.contains(R"("reason":"StatusUnavailable")"));
}

TEST_F(dispatching, a_child_of_nobody_is_nobodys_work) {
  start();
  update(kind::external_service, {}, {}, true);
  sync_children();
  update(kind::service, {}, {"stranger"});
  EXPECT_TRUE(shared.order.empty());
}

TEST_F(dispatching, the_second_claim_of_a_dns_name_is_told_whose_it_is) {
  start();
  update(kind::external_service,
         {external_service("a", "same.example"), external_service("b", "Same.example.")}, {}, true);
  sync_children();
  ASSERT_EQ(shared.under_way.size(), 2u);
  std::map<std::string, std::string> holder;
  for (const auto& one : shared.under_way) holder[one.work->service->meta.name] = one.work->name_claimed_by;
  EXPECT_EQ(holder["a"], "");
  EXPECT_EQ(holder["b"], "a");
}

// Its informers lived twice: the second never knew what went before its first list.
TEST_F(dispatching, what_went_while_its_informer_was_away_is_looked_at) {
  start();
  update(kind::service, {service_at("b", {})}, {}, true);
  update(kind::external_service,
         {external_service("a", "same.example"), external_service("b", "same.example")}, {}, true);
  sync_children();
  while (!shared.under_way.empty()) finish_first();
  shared.runs.clear();
  known[static_cast<std::size_t>(kind::external_service)] = {};
  update(kind::external_service, {external_service("b", "same.example")}, {}, true);
  ASSERT_EQ(shared.runs, (std::map<std::string, int>{{"b", 1}}));
  EXPECT_EQ(shared.under_way.front().work->name_claimed_by, "") << "the name is free";
  finish_first();
  known[static_cast<std::size_t>(kind::service)] = {};
  update(kind::service, {}, {}, true);
  ASSERT_EQ(shared.runs, (std::map<std::string, int>{{"b", 2}})) << "its Service is made again";
  EXPECT_EQ(shared.under_way.front().work->changed, 1U << kube::child_index(kind::service));
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

// Somebody removed what had just been made, while its informer had no watch.
TEST_F(dispatching, what_was_written_is_looked_for_when_a_list_does_not_show_it) {
  start();
  sync_children();
  update(kind::external_service, {external_service("a"), external_service("b")}, {}, true);
  wrote_first(kind::network_policy, "5");
  finish_first();
  finish_first();
  for (const auto& [of, epoch] :
       {std::pair{kind::service, 2U}, {kind::network_policy, 1U}, {kind::network_policy, 2U}}) {
    EXPECT_TRUE(shared.under_way.empty());
    auto sent =
        std::make_shared<informer_update>(informer_update{known[static_cast<std::size_t>(of)], {}, false});
    sent->current.epoch = epoch;
    caf::anon_send(dispatcher, payload<informer_update>{sent});
    world.settle();
  }
  ASSERT_EQ(shared.under_way.size(), 1U);
  EXPECT_EQ(shared.order.back(), "a");
  EXPECT_EQ(shared.under_way.front().work->changed, bit_of(kind::network_policy));
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
