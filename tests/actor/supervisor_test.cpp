#include "runtime/actor/supervisor.hpp"

#include <gtest/gtest.h>

#include <caf/send.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <stdexcept>

#include "tests/actor/virtual_time.hpp"

namespace egress {
namespace {

// What the children of a test saw, outliving them.
struct record {
  std::vector<std::uint64_t> directories;  // generations, in order of arrival
  std::vector<metrics_actor> lives;
  int ended_with = -1;
  std::vector<std::string> deaths;
};

metrics_actor::behavior_type witness(metrics_actor::pointer, record* seen) {
  return {[seen](const directory_ptr& d) { seen->directories.push_back(d->generation); },
          [](const payload<health_report>&) {}};
}

struct supervised_system : ::testing::Test {
  supervisor_config config(restart_limits limits = {}) {
    supervisor_config made;
    made.children.push_back({"metrics", limits,
                             [this](caf::actor_system& system, directory& into) -> member_actor {
                               if (fail_starts > 0) {
                                 --fail_starts;
                                 throw std::runtime_error("no");
                               }
                               into.metrics = system.spawn(witness, &seen);
                               seen.lives.push_back(into.metrics);
                               return into.metrics;
                             },
                             [](directory& from) { from.metrics = nullptr; }});
    made.ended = [this](int code) { seen.ended_with = code; };
    made.died = [this](const std::string& id) { seen.deaths.push_back(id); };
    return made;
  }
  void start(supervisor_config with) {
    boss = world.system().spawn(supervisor_behavior, std::move(with));
    caf::anon_send(boss, start_atom{});
    world.settle();
  }
  void kill_last() {
    caf::anon_send_exit(seen.lives.back(), caf::exit_reason::kill);
    world.settle();
  }

  record seen;
  int fail_starts = 0;
  test::virtual_system world;
  supervisor_actor boss;
  ~supervised_system() override {
    caf::anon_send_exit(boss, caf::exit_reason::kill);
    for (auto& life : seen.lives) caf::anon_send_exit(life, caf::exit_reason::kill);
    world.settle();
  }
};

TEST_F(supervised_system, everyone_gets_a_directory_after_the_start) {
  start(config());
  EXPECT_EQ(seen.directories, (std::vector<std::uint64_t>{1}));
}

TEST_F(supervised_system, a_dead_child_is_replaced_at_once_and_told_of_the_others) {
  start(config());
  kill_last();
  EXPECT_EQ(seen.lives.size(), 2u);
  EXPECT_EQ(seen.directories.back(), 2u);
  EXPECT_EQ(seen.deaths, (std::vector<std::string>{"metrics"}));
}

TEST_F(supervised_system, the_second_restart_waits_for_its_delay) {
  start(config());
  kill_last();
  kill_last();
  EXPECT_EQ(seen.lives.size(), 2u);
  world.advance(milliseconds{99});
  EXPECT_EQ(seen.lives.size(), 2u);
  world.advance(milliseconds{1});
  EXPECT_EQ(seen.lives.size(), 3u);
}

TEST_F(supervised_system, a_child_that_throws_when_made_counts_as_dead_and_is_tried_again) {
  fail_starts = 3;
  start(config());
  EXPECT_TRUE(seen.lives.empty());
  world.advance(milliseconds{100});
  EXPECT_TRUE(seen.lives.empty());
  world.advance(milliseconds{200});
  EXPECT_EQ(seen.lives.size(), 1u);
  EXPECT_EQ(seen.deaths.size(), 3u);
}

TEST_F(supervised_system, a_vital_child_past_its_limit_ends_the_process_with_1) {
  start(config({.deaths = 1, .past_limit_ends_process = true}));
  kill_last();
  EXPECT_EQ(seen.ended_with, -1);
  kill_last();
  world.advance(seconds{60});
  EXPECT_EQ(seen.ended_with, 1);
}

TEST_F(supervised_system, shutdown_passes_through_the_lame_duck_and_ends_with_0) {
  start(config());
  caf::anon_send(boss, shutdown_atom{});
  world.settle();
  EXPECT_EQ(seen.ended_with, -1) << "DNS must go on for the lame-duck time";
  world.advance(seconds{5});
  EXPECT_EQ(seen.ended_with, 0);
}

TEST_F(supervised_system, a_second_signal_cuts_the_lame_duck_short) {
  start(config());
  caf::anon_send(boss, shutdown_atom{});
  caf::anon_send(boss, shutdown_atom{});
  world.settle();
  EXPECT_EQ(seen.ended_with, 0);
}

// A dispatcher and a leader that say in which order the shutdown asks them.
struct shutdown_order : ::testing::Test {
  static dispatcher_actor::behavior_type dispatcher(dispatcher_actor::pointer self, shutdown_order* test) {
    return {[](const directory_ptr&) {},
            [](const payload<informer_update>&) { return ok_atom{}; },
            [](tick_atom, std::uint64_t) {},
            [](watchdog_atom) {},
            [](const payload<reconcile_result>&) {},
            [](leading_atom, std::uint64_t) {},
            [self, test](drain_atom) -> caf::result<ok_atom> {
              test->asked.emplace_back("drain");
              if (test->drain_hangs) return self->make_response_promise<ok_atom>();  // never kept
              if (test->drains) return ok_atom{};
              return caf::make_error(caf::sec::request_timeout);
            }};
  }
  static leader_actor::behavior_type leader(leader_actor::pointer self, shutdown_order* test) {
    return {[](const directory_ptr&) {}, [](tick_atom, std::uint64_t) {},
            [self, test](release_atom) -> caf::result<ok_atom> {
              test->asked.emplace_back("release");
              if (test->releases) return ok_atom{};
              return self->make_response_promise<ok_atom>();  // never kept
            }};
  }
  void begin() {
    supervisor_config config;
    config.children.push_back({"dispatcher",
                               {},
                               [this](caf::actor_system& system, directory& into) -> member_actor {
                                 return last_dispatcher = into.dispatcher = system.spawn(dispatcher, this);
                               },
                               [](directory& from) { from.dispatcher = nullptr; }});
    config.children.push_back({"leader",
                               {},
                               [this](caf::actor_system& system, directory& into) -> member_actor {
                                 ++leader_lives;
                                 return last_leader = into.leader = system.spawn(leader, this);
                               },
                               [](directory& from) { from.leader = nullptr; },
                               true});
    config.ended = [this](int code) { ended_with = code; };
    boss = world.system().spawn(supervisor_behavior, std::move(config));
    caf::anon_send(boss, start_atom{});
    world.settle();
    caf::anon_send(boss, shutdown_atom{});
    world.settle();
  }
  ~shutdown_order() override {
    last_leader = nullptr;
    last_dispatcher = nullptr;
    world.advance(seconds{60});  // the supervisor ends its children, and itself
  }

  std::vector<std::string> asked;
  bool drains = true, releases = true, drain_hangs = false;
  int leader_lives = 0, ended_with = -1;
  test::virtual_system world;
  leader_actor last_leader;
  dispatcher_actor last_dispatcher;
  supervisor_actor boss;
};

TEST_F(shutdown_order, the_lease_is_released_when_the_last_reconcile_is_done) {
  begin();
  EXPECT_EQ(asked, (std::vector<std::string>{"drain", "release"}));
  world.advance(seconds{5});
  EXPECT_EQ(ended_with, 0);
}

TEST_F(shutdown_order, the_lease_is_kept_when_a_write_may_still_be_on_its_way) {
  drains = false;
  begin();
  EXPECT_EQ(asked, std::vector<std::string>{"drain"});
}

TEST_F(shutdown_order, a_dispatcher_that_dies_meanwhile_is_not_waited_for) {
  drain_hangs = true;
  begin();
  caf::anon_send_exit(last_dispatcher, caf::exit_reason::kill);
  world.settle();
  world.advance(seconds{5});
  EXPECT_EQ(ended_with, 0) << "five seconds for the resolvers";
  EXPECT_EQ(asked, std::vector<std::string>{"drain"}) << "the Lease is kept: a write may be on its way";
}

TEST_F(shutdown_order, a_release_without_answer_is_waited_for_five_seconds_only) {
  releases = false;
  begin();
  world.advance(milliseconds{9'990});
  EXPECT_EQ(ended_with, -1) << "five seconds for the release, five for the resolvers";
  world.advance(milliseconds{10});
  EXPECT_EQ(ended_with, 0);
}

TEST_F(shutdown_order, who_runs_only_while_running_is_not_started_again) {
  begin();
  caf::anon_send_exit(last_leader, caf::exit_reason::kill);
  world.settle();
  EXPECT_EQ(leader_lives, 1);
}

}  // namespace
}  // namespace egress
