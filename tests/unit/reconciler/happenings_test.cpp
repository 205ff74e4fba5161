#include "actors/reconciler/happenings.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actors/reconciler/shortened.hpp"
#include "tests/unit/reconciler/fixtures.hpp"

namespace egress::reconciler {
namespace {

using std::chrono::seconds;

const wall_time t0{std::chrono::sys_days{std::chrono::year{2026} / 1 / 2}};

child_outcomes repaired(kube::kind of, pointers what) {
  child_outcomes all{};
  auto& one = all[kube::child_index(of)];
  one.did = action::repair;
  one.repaired = std::move(what);
  return all;
}

using digests = std::array<kube::digest, kube::child_count>;
digests towards(std::uint8_t what) {
  digests all{};
  for (auto& one : all) one.front() = what;
  return all;
}

TEST(repair_watch, tells_of_a_second_repair_within_a_minute) {
  const auto web = testing::an_external_service({}, "web", "u");
  repair_watch watch;
  const auto told = [&](kube::kind of, seconds at) {
    return watch.look(*web, repaired(of, {"/spec/x", "/spec/y"}), towards(1), t0 + at);
  };
  EXPECT_TRUE(told(kube::kind::service, seconds{0}).empty());
  EXPECT_TRUE(told(kube::kind::config_map, seconds{1}).empty()) << "another child";
  const auto again = told(kube::kind::service, seconds{59});
  ASSERT_EQ(again.size(), 1U);
  EXPECT_EQ(again[0].reason, "RepairedAgain");
  EXPECT_EQ(again[0].message, "somebody keeps changing Service web: put right again at /spec/x, /spec/y");
  EXPECT_TRUE(told(kube::kind::service, seconds{120}).empty());
}

TEST(repair_watch, tells_every_ten_minutes_as_long_as_it_goes_on) {
  const auto web = testing::an_external_service({}, "web", "u");
  repair_watch watch;
  int told = 0;
  for (int i = 0; i < 30 * 60; ++i)
    told += static_cast<int>(
        watch.look(*web, repaired(kube::kind::service, {"/spec/x"}), towards(1), t0 + seconds{i}).size());
  EXPECT_EQ(told, 3);
}

TEST(repair_watch, says_nothing_of_edits_of_the_external_service) {
  const auto web = testing::an_external_service({}, "web", "u");
  repair_watch watch;
  for (std::uint8_t i = 1; i < 5; ++i)
    EXPECT_TRUE(
        watch.look(*web, repaired(kube::kind::service, {"/spec/x"}), towards(i), t0 + seconds{i}).empty());
}

TEST(repair_watch, says_nothing_of_ports_that_come_later) {
  const auto web = testing::an_external_service({}, "web", "u");
  repair_watch watch;
  auto first = repaired(kube::kind::service, {"/spec/ports/0"});
  first[kube::child_index(kube::kind::service)].ports_held = {{9443, "TCP"}};
  EXPECT_TRUE(watch.look(*web, first, towards(1), t0).empty());
  const auto second = repaired(kube::kind::service, {"/spec/ports/1"});
  EXPECT_TRUE(watch.look(*web, second, towards(1), t0 + seconds{40}).empty());
  EXPECT_EQ(watch.look(*web, second, towards(1), t0 + seconds{50}).size(), 1U) << "undone by somebody";
  repair_watch other;
  other.look(*web, first, towards(1), t0);
  EXPECT_EQ(other.look(*web, first, towards(1), t0 + seconds{1}).size(), 1U) << "while it is held, too";
}

TEST(repair_watch, does_not_list_thousands_of_fields) {
  const auto web = testing::an_external_service({}, "web", "u");
  pointers many;
  for (int i = 0; i < 5000; ++i) many.insert("/data/key-" + std::to_string(i));
  repair_watch watch;
  watch.look(*web, repaired(kube::kind::config_map, many), towards(1), t0);
  const auto again = watch.look(*web, repaired(kube::kind::config_map, many), towards(1), t0);
  ASSERT_EQ(again.size(), 1U);
  EXPECT_LE(again[0].message.size(), 1024U);
  EXPECT_TRUE(again[0].message.ends_with("...")) << again[0].message;
}

kube::external_service_status with(std::string_view gateway_reason, bool ready, std::int64_t pods) {
  kube::external_service_status made;
  made.ready_replicas = pods;
  made.conditions = {
      kube::condition_view{"GatewayReady", ready ? "True" : "False", gateway_reason, "m", "", 1}};
  return made;
}

TEST(happenings, of_a_gateway_that_goes_and_not_of_one_that_rolls_or_comes) {
  const auto web = testing::an_external_service({}, "web", "u");
  const auto told = [&](const kube::external_service_status& before,
                        const kube::external_service_status& now) {
    return !happenings_of(*web, before, now).empty();
  };
  const auto serves = with("GatewayReady", true, 2), rolls = with("RolloutPending", false, 2),
             gone = with("NoReadyReplicas", false, 0), made_again = with("RolloutPending", false, 0);
  EXPECT_TRUE(told(serves, gone));
  EXPECT_FALSE(told(serves, rolls)) << "routine, for some milliseconds";
  EXPECT_TRUE(told(rolls, gone));
  EXPECT_FALSE(told(rolls, serves));
  EXPECT_TRUE(told(serves, made_again)) << "the Deployment was deleted";
  EXPECT_FALSE(told(made_again, gone)) << "told, or it is being made";
  EXPECT_FALSE(told(gone, made_again)) << "an edit of one that never was ready";
  EXPECT_FALSE(told({}, gone));
}

TEST(shortened, cuts_between_characters) {
  EXPECT_EQ(shortened(std::string(1024, 'x')), std::string(1024, 'x'));
  for (std::size_t before = 1015; before < 1025; ++before) {
    const auto cut = shortened(std::string(before, 'x') + "äöüäöü");
    EXPECT_LE(cut.size(), 1024U);
    ASSERT_TRUE(cut.ends_with("...")) << before;
    const auto kept = cut.size() - 3;
    EXPECT_TRUE(kept <= before || (kept - before) % 2 == 0) << "half a character at " << kept;
    EXPECT_GE(kept, 1019U);
  }
}

}  // namespace
}  // namespace egress::reconciler
