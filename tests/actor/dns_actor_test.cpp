#include "actors/dns/dns_actor.hpp"

#include <gtest/gtest.h>

#include <caf/send.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <functional>
#include <thread>
#include <type_traits>

#include "actors/dns/worker_actor.hpp"
#include "tests/actor/virtual_time.hpp"

namespace egress {
namespace {

using kube::kind;

kube::object_ptr external_service(const std::string& name) {
  auto made = std::make_shared<kube::object>();
  made->of = kind::external_service;
  made->meta.name = name;
  kube::external_service body;
  body.spec.dns_name = name + ".example";
  body.spec.hijack_dns = true;
  made->body = body;
  return made;
}

kube::object_ptr service(const std::string& name, const std::string& label) {
  auto made = std::make_shared<kube::object>();
  made->of = kind::service;
  made->meta.name = name;
  kube::child body;
  body.hijack_label = label;
  body.dns_name = name + ".example";
  body.cluster_ips = {"10.0.0.1"};
  made->body = body;
  return made;
}

// A loop that only notes what it is told; outlives its worker.
struct loop_log {
  std::vector<hijack_table_ptr> tables;
  std::vector<std::set<std::size_t>> served_also;
  std::vector<std::function<void(std::string)>> failures;
  int alive = 0;
};

class noting_loop final : public packet_loop {
 public:
  explicit noting_loop(loop_log& log) : log_(log) { ++log_.alive; }
  ~noting_loop() override { --log_.alive; }
  void set_table(hijack_table_ptr table) override { log_.tables.push_back(std::move(table)); }
  void serve_also(const std::set<std::size_t>& siblings) override { log_.served_also.push_back(siblings); }

 private:
  loop_log& log_;
};

struct dns_actors : ::testing::Test {
  void SetUp() override {
    config.programmed = [this](auto took) { programmed.push_back(took); };
    config.cpu_time = [this] { return cpu_time += build_cost; };
    dns = world.system().spawn(dns_behavior, config);
    worker = world.system().spawn(dns_worker_behavior, std::size_t{0}, factory());
    tell_everyone({worker});
  }
  void TearDown() override {
    caf::anon_send_exit(worker, caf::exit_reason::kill);
    caf::anon_send_exit(dns, caf::exit_reason::kill);
    world.settle();
  }
  packet_loop_factory factory() {
    return [this](std::size_t, std::function<void(std::string)> failed) {
      log.failures.push_back(std::move(failed));
      return std::make_unique<noting_loop>(log);
    };
  }
  void tell_everyone(std::vector<dns_worker_actor> workers) {
    auto everyone = std::make_shared<directory>();
    everyone->dns = dns;
    everyone->dns_workers = std::move(workers);
    caf::anon_send(dns, directory_ptr{everyone});
    caf::anon_send(worker, directory_ptr{everyone});
    world.settle();
  }
  void update(kind of, std::vector<kube::object_ptr> objects, const std::vector<std::string>& gone = {},
              milliseconds after = milliseconds{100}, bool initial = false) {
    auto sent = std::make_shared<informer_update>();
    sent->initial = initial;
    sent->current.of = of;
    sent->current.synced = true;
    for (auto& one : objects) {
      sent->changed.push_back(one->meta.name);
      sent->current.objects.put(std::move(one));
    }
    for (const auto& name : gone) sent->changed.push_back(name);
    caf::anon_send(dns, payload<informer_update>{sent});
    world.advance(after);
  }

  std::vector<steady_time::duration> programmed;
  steady_time::duration cpu_time{}, build_cost{milliseconds{0}};
  dns_actor_config config;
  loop_log log;
  test::virtual_system world;
  dns_actor dns;
  dns_worker_actor worker;
};

TEST_F(dns_actors, a_worker_asks_for_the_table_once) {
  update(kind::service, {service("a", "true")});
  update(kind::external_service, {external_service("a")});
  const auto told = log.tables.size();
  tell_everyone({worker});
  EXPECT_EQ(log.tables.size(), told) << "somebody else has been started again";
}

TEST_F(dns_actors, no_table_is_published_before_both_kinds_are_known) {
  update(kind::service, {service("a", "true")});
  EXPECT_TRUE(log.tables.empty());
  update(kind::external_service, {external_service("a")});
  ASSERT_EQ(log.tables.size(), 1u);
  EXPECT_EQ(log.tables.back()->size(), 1u);
}

TEST_F(dns_actors, a_name_stays_while_its_service_is_away) {
  update(kind::service, {service("a", "true")});
  update(kind::external_service, {external_service("a")});
  update(kind::service, {}, {"a"});
  EXPECT_EQ(log.tables.back()->size(), 1u);
  update(kind::external_service, {}, {"a"});
  EXPECT_EQ(log.tables.back()->size(), 0u);
}

TEST_F(dns_actors, a_name_goes_whose_external_service_went_while_its_informer_was_away) {
  update(kind::service, {service("a", "true")});
  update(kind::external_service, {external_service("a")});
  update(kind::service, {}, {}, milliseconds{100}, true);
  EXPECT_EQ(log.tables.back()->size(), 1u) << "its Service is away";
  update(kind::external_service, {}, {}, milliseconds{100}, true);
  EXPECT_EQ(log.tables.back()->size(), 0u);
}

TEST_F(dns_actors, what_cannot_change_the_table_builds_none) {
  update(kind::service, {service("a", "true")});
  update(kind::external_service, {external_service("a")});
  update(kind::external_service, {external_service("a")});
  EXPECT_EQ(log.tables.size(), 1u);
}

TEST(urgency_of, a_hijacked_name_is_urgent_and_a_gateway_that_comes_up_is_not) {
  EXPECT_EQ(urgency_of(nullptr, service("a", "true")), urgency::at_once);
  EXPECT_EQ(urgency_of(service("a", "true"), nullptr), urgency::at_once);
  EXPECT_EQ(urgency_of(service("a", "waiting-for-pods"), service("a", "true")), urgency::at_once);
  EXPECT_EQ(urgency_of(nullptr, service("a", "waiting-for-pods")), urgency::soon);
  EXPECT_EQ(urgency_of(nullptr, external_service("a")), urgency::soon);
  EXPECT_EQ(urgency_of(external_service("a"), nullptr), urgency::at_once);
  EXPECT_EQ(urgency_of(service("a", "true"), service("a", "true")), urgency::none);
}

// What a change of one field does to an object that is hijacked.
template <class Body>
urgency urgency_of_change(const kube::object_ptr& then,
                          const std::function<void(kube::object&, Body&)>& change) {
  auto now = std::make_shared<kube::object>(*then);
  auto body = [&]() -> Body {
    if constexpr (std::is_same_v<Body, kube::external_service>)
      return then->as_external_service();
    else
      return then->as_child();
  }();
  change(*now, body);
  now->body = std::move(body);
  return urgency_of(then, now);
}

TEST(urgency_of, follows_each_field_of_an_external_service_that_an_answer_depends_on) {
  using change = std::function<void(kube::object&, kube::external_service&)>;
  const auto of = [](const change& what) { return urgency_of_change(external_service("a"), what); };
  EXPECT_EQ(of([](auto& now, auto&) { now.meta.deleting = true; }), urgency::at_once);
  EXPECT_EQ(of([](auto& now, auto&) { now.meta.uid = "another"; }), urgency::at_once);
  EXPECT_EQ(of([](auto&, auto& now) { now.spec.dns_name = "b.example"; }), urgency::at_once);
  EXPECT_EQ(of([](auto&, auto& now) { now.spec.hijack_dns = false; }), urgency::at_once);
  EXPECT_EQ(of([](auto&, auto& now) { now.spec.dns_clients = {"10.0.0.0/8"}; }), urgency::at_once);
  EXPECT_EQ(of([](auto&, auto& now) { now.spec.ports = {{443, "TCP"}}; }), urgency::at_once);
  EXPECT_EQ(of([](auto&, auto& now) { now.spec.min_replicas = 5; }), urgency::none);
}

TEST(urgency_of, follows_each_field_of_a_service_that_an_answer_depends_on) {
  using change = std::function<void(kube::object&, kube::child&)>;
  const auto of = [](const change& what) { return urgency_of_change(service("a", "true"), what); };
  EXPECT_EQ(of([](auto& now, auto&) { now.meta.deleting = true; }), urgency::at_once);
  EXPECT_EQ(of([](auto& now, auto&) { now.meta.uid = "another"; }), urgency::at_once);
  EXPECT_EQ(of([](auto&, auto& now) { now.hijack_label = "false"; }), urgency::at_once);
  EXPECT_EQ(of([](auto&, auto& now) { now.dns_name = "b.example"; }), urgency::at_once);
  EXPECT_EQ(of([](auto&, auto& now) { now.cluster_ips = {"10.0.0.2"}; }), urgency::at_once);
  EXPECT_EQ(of([](auto&, auto& now) { now.controller = kube::controller_ref{}; }), urgency::at_once);
  EXPECT_EQ(of([](auto& now, auto&) { now.meta.resource_version = "2"; }), urgency::none);
}

TEST_F(dns_actors, an_external_service_that_names_its_clients_is_hijacked_for_them_only) {
  auto made = std::make_shared<kube::object>(*external_service("a"));
  auto body = made->as_external_service();
  body.spec.dns_clients = {"10.0.0.0/8"};
  made->body = std::move(body);
  update(kind::service, {service("a", "true")});
  update(kind::external_service, {external_service("a")});
  const auto entry = [&] { return log.tables.back()->find(dns::parse_name("a.example").value()); };
  EXPECT_TRUE(entry()->clients().empty());
  update(kind::external_service, {made});
  EXPECT_EQ(entry()->clients().size(), 17u);
  update(kind::external_service, {external_service("a")});
  EXPECT_TRUE(entry()->clients().empty());
}

TEST_F(dns_actors, many_changes_at_once_make_two_tables) {
  update(kind::service, {service("a", "true")});
  update(kind::external_service, {external_service("a")});
  log.tables.clear();
  for (int i = 0; i < 50; ++i) {
    auto sent = std::make_shared<informer_update>();
    sent->current.of = kind::service;
    sent->current.synced = true;
    sent->changed = {"a"};
    sent->current.objects.put(service("a", i % 2 ? "true" : "waiting-for-pods"));
    caf::anon_send(dns, payload<informer_update>{sent});
  }
  world.settle();
  world.advance(milliseconds{5});
  EXPECT_EQ(log.tables.size(), 2u);
}

TEST_F(dns_actors, building_takes_a_tenth_of_a_core_at_most) {
  build_cost = milliseconds{60};
  update(kind::service, {service("a", "true")});
  update(kind::external_service, {external_service("a")});
  log.tables.clear();
  // 600 ms of a tenth, of which 500 are there for a burst; an update takes 100 here.
  update(kind::service, {service("a", "waiting-for-pods")});
  EXPECT_EQ(log.tables.size(), 1u) << "all but nothing is owed";
  log.tables.clear();
  update(kind::service, {service("a", "true")});
  world.advance(milliseconds{390});
  EXPECT_TRUE(log.tables.empty()) << "590 ms after the last";
  world.advance(milliseconds{20});
  EXPECT_EQ(log.tables.size(), 1u);
}

TEST_F(dns_actors, a_burst_of_changes_is_shown_as_it_comes) {
  build_cost = milliseconds{2};
  update(kind::service, {service("a", "true")});
  update(kind::external_service, {external_service("a")});
  programmed.clear();
  for (int i = 0; i < 20; ++i) {
    update(kind::service, {service("a", i % 2 ? "true" : "waiting-for-pods")}, {}, milliseconds{6});
    ASSERT_EQ(programmed.size(), static_cast<std::size_t>(i) + 1);
    EXPECT_EQ(programmed.back(), milliseconds{0});
  }
}

TEST_F(dns_actors, gateways_that_come_up_one_after_the_other_share_a_table) {
  update(kind::service, {service("a", "true")});
  update(kind::external_service, {external_service("a")});
  log.tables.clear();
  const auto comes_up = [&](int i) {
    update(kind::service, {service("a", "true"), service("b" + std::to_string(i), "waiting-for-pods")}, {},
           milliseconds{0});
    world.settle();
    world.advance(milliseconds{60});
  };
  for (int i = 0; i < 10; ++i) comes_up(i);
  EXPECT_TRUE(log.tables.empty()) << "each comes less than 100 ms after the one before";
  world.advance(milliseconds{40});
  EXPECT_EQ(log.tables.size(), 1u) << "100 ms after the last";
  for (int i = 10; i < 30; ++i) comes_up(i);
  EXPECT_EQ(log.tables.size(), 2u) << "a second after the first";
}

TEST_F(dns_actors, tables_for_gateways_that_come_up_take_next_to_nothing_of_a_core) {
  build_cost = milliseconds{3};
  update(kind::service, {service("a", "true")});
  update(kind::external_service, {external_service("a")});
  world.advance(seconds{10});
  log.tables.clear();
  for (int i = 0; i < 80; ++i) {
    update(kind::service, {service("a", "true"), service("b" + std::to_string(i), "waiting-for-pods")}, {},
           milliseconds{0});
    world.settle();
    world.advance(milliseconds{150});
  }
  EXPECT_GE(log.tables.size(), 3u) << "12 s";
  EXPECT_LE(log.tables.size(), 4u);
}

TEST_F(dns_actors, a_hijack_that_was_heard_of_before_its_external_service_waits_for_nothing) {
  update(kind::service, {service("a", "true")});
  update(kind::external_service, {external_service("a")});
  update(kind::service, {service("a", "true"), service("b", "true")}, {}, milliseconds{0});
  world.settle();
  log.tables.clear();
  update(kind::external_service, {external_service("a"), external_service("b")}, {}, milliseconds{10});
  ASSERT_EQ(log.tables.size(), 1u);
  EXPECT_EQ(log.tables.back()->size(), 2u);
}

TEST_F(dns_actors, a_hijack_waits_for_no_gateways) {
  update(kind::service, {service("a", "true")});
  update(kind::external_service, {external_service("a")});
  log.tables.clear();
  const auto see = [&](const char* hijack, const char* coming) {
    update(kind::service, {service("a", hijack), service(coming, "waiting-for-pods")}, {}, milliseconds{0});
    world.settle();
  };
  see("true", "b");
  world.advance(milliseconds{50});
  see("waiting-for-pods", "b");
  EXPECT_EQ(log.tables.size(), 1u);
  world.advance(milliseconds{1});
  see("true", "b");
  EXPECT_EQ(log.tables.size(), 1u) << "5 ms lie between two tables";
  see("true", "c");
  world.advance(milliseconds{4});
  EXPECT_EQ(log.tables.size(), 2u) << "one that may wait does not put it off";
  world.advance(milliseconds{200});
  EXPECT_EQ(log.tables.size(), 2u) << "nor is there another for it";
}

TEST(thread_cpu_time, grows_with_the_work_of_its_thread_alone) {
  const auto spend = [](steady_time::duration what) {
    for (const auto until = thread_cpu_time() + what; thread_cpu_time() < until;) {
    }
  };
  const auto before = thread_cpu_time();
  std::thread(spend, milliseconds{100}).join();  // while this one waits
  EXPECT_LT(thread_cpu_time() - before, milliseconds{50});
  spend(milliseconds{5});
  EXPECT_GE(thread_cpu_time() - before, milliseconds{5});
}

TEST_F(dns_actors, tell_how_long_a_change_waited_for_its_table) {
  update(kind::service, {service("a", "true")});
  update(kind::external_service, {external_service("a")});
  EXPECT_TRUE(programmed.empty()) << "first lists are no changes";
  const auto send = [&](std::vector<kube::object_ptr> services, const std::string& changed) {
    auto sent = std::make_shared<informer_update>();
    sent->current.of = kind::service;
    sent->current.synced = true;
    sent->changed = {changed};
    for (auto& one : services) sent->current.objects.put(std::move(one));
    caf::anon_send(dns, payload<informer_update>{sent});
    world.settle();
  };
  // A gateway that comes up may wait for others; a hijack makes a table of all.
  send({service("a", "true"), service("b", "waiting-for-pods")}, "b");
  world.advance(milliseconds{60});
  EXPECT_TRUE(programmed.empty());
  send({service("a", "false"), service("b", "waiting-for-pods")}, "a");
  EXPECT_EQ(programmed, std::vector<steady_time::duration>{milliseconds{60}});
  send({service("a", "true"), service("b", "waiting-for-pods")}, "a");
  world.advance(milliseconds{100});
  ASSERT_EQ(programmed.size(), 2u);
  EXPECT_LE(programmed[1], milliseconds{20});
}

TEST_F(dns_actors, a_restarted_dns_actor_remembers_the_names_whose_service_is_away) {
  update(kind::service, {service("a", "true")});
  update(kind::external_service, {external_service("a")});
  caf::anon_send_exit(dns, caf::exit_reason::kill);
  dns = world.system().spawn(dns_behavior, config);
  tell_everyone({worker});
  update(kind::service, {}, {"a"});
  update(kind::external_service, {external_service("a")});
  EXPECT_EQ(log.tables.back()->size(), 1u);
}

TEST_F(dns_actors, a_new_worker_gets_the_table_that_is_known) {
  update(kind::service, {service("a", "true")});
  update(kind::external_service, {external_service("a")});
  log.tables.clear();
  caf::anon_send_exit(worker, caf::exit_reason::kill);
  world.settle();
  EXPECT_EQ(log.alive, 0);
  worker = world.system().spawn(dns_worker_behavior, std::size_t{0}, factory());
  tell_everyone({worker});
  ASSERT_EQ(log.tables.size(), 1u);
  EXPECT_EQ(log.alive, 1);
}

TEST_F(dns_actors, a_worker_whose_loop_failed_ends) {
  log.failures.back()("no descriptors");
  world.settle();
  EXPECT_EQ(log.alive, 0);
}

TEST_F(dns_actors, the_first_worker_serves_the_sockets_of_those_that_are_away) {
  tell_everyone({worker, dns_worker_actor{}, dns_worker_actor{}});
  EXPECT_EQ(log.served_also.back(), (std::set<std::size_t>{1, 2}));
  tell_everyone({worker, worker, worker});
  EXPECT_EQ(log.served_also.back(), std::set<std::size_t>{});
}

TEST_F(dns_actors, only_one_worker_takes_the_orphans) {
  directory everyone;
  everyone.dns_workers = {dns_worker_actor{}, worker, worker};
  EXPECT_EQ(orphans_of(everyone, 1), std::set<std::size_t>{0});
  EXPECT_EQ(orphans_of(everyone, 2), std::set<std::size_t>{});
}

}  // namespace
}  // namespace egress
