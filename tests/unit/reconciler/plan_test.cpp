#include "actors/reconciler/plan.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actors/reconciler/child_outcome.hpp"
#include "tests/unit/reconciler/fixtures.hpp"

namespace egress::reconciler {
namespace {

using namespace testing;
using enum kube::kind;
using ::testing::HasSubstr;

kube::controller_ref owner(const std::string& kind, const std::string& name, const std::string& uid,
                           const std::string& version = "egress.monzo.com/v1") {
  return {version, kind, name, uid, true};
}

struct ownership_case {
  const char* name;
  std::optional<kube::controller_ref> controller;
  const char* label;
  bool cannot_be;
  ownership whose;
};
class Ownership : public ::testing::TestWithParam<ownership_case> {};

TEST_P(Ownership, IsDecidedByControllerThenLabel) {
  auto live = child(service);
  body(live).controller = GetParam().controller;
  body(live).our_label = GetParam().label == an_external_service()->meta.name;
  body(live).ours_cannot_be = GetParam().cannot_be;
  EXPECT_EQ(whose(*an_external_service(), *live), GetParam().whose);
}

INSTANTIATE_TEST_SUITE_P(
    Table, Ownership,
    ::testing::Values(
        ownership_case{"ours", owner("ExternalService", "web", es_uid), "web", false, ownership::ours},
        ownership_case{"ours_without_label", owner("ExternalService", "web", es_uid), "", false,
                       ownership::ours},
        ownership_case{"ours_by_another_version",
                       owner("ExternalService", "web", es_uid, "egress.monzo.com/v2"), "", false,
                       ownership::ours},
        ownership_case{"ours_but_headless", owner("ExternalService", "web", es_uid), "web", true,
                       ownership::foreign},
        ownership_case{"predecessor", owner("ExternalService", "web", "old"), "web", false,
                       ownership::predecessors},
        ownership_case{"another_external_service", owner("ExternalService", "api", "old"), "web", false,
                       ownership::foreign},
        ownership_case{"another_group", owner("ExternalService", "web", "old", "else.io/v1"), "web", false,
                       ownership::foreign},
        ownership_case{"another_kind", owner("Deployment", "web", "x"), "web", false, ownership::foreign},
        ownership_case{"labelled", std::nullopt, "web", false, ownership::adoptable},
        ownership_case{"labelled_but_other_selector", std::nullopt, "web", true, ownership::foreign},
        ownership_case{"unlabelled", std::nullopt, "", false, ownership::foreign},
        ownership_case{"label_of_another", std::nullopt, "api", false, ownership::foreign}),
    [](const auto& info) { return info.param.name; });

action decided(kube::kind of, const rendered_child* wanted, const kube::object* live) {
  return decide(*an_external_service(), of, wanted, live).what;
}

TEST(Decide, CreatesWhatIsMissingAndLeavesWhatIsRight) {
  const auto want = rendered(service);
  EXPECT_EQ(decided(service, &want, nullptr), action::create);
  EXPECT_EQ(decided(service, &want, child(service).get()), action::nothing);
  EXPECT_EQ(decided(service, nullptr, nullptr), action::nothing);
}

TEST(Decide, RepairsWhatDiffers) {
  const auto want = rendered(deployment, 2);
  const auto what = decide(*an_external_service(), deployment, &want, child(deployment).get());
  EXPECT_EQ(what.what, action::repair);
  EXPECT_EQ(what.why, "Deployment web differs");
}

TEST(Decide, AdoptsWhatNobodyControls) {
  const auto want = rendered(deployment, 2);
  auto live = child(deployment);
  body(live).controller.reset();
  EXPECT_EQ(decided(deployment, &want, live.get()), action::adopt);
}

TEST(Decide, LeavesWhatBelongsToOthersAndSaysWhose) {
  const auto want = rendered(service, 2);
  auto live = child(service);
  body(live).controller = owner("Gateway", "edge", "x");
  EXPECT_THAT(decide(*an_external_service(), service, &want, live.get()).why,
              HasSubstr("belongs to Gateway edge"));
  body(live).controller.reset();
  body(live).ours_cannot_be = true;
  EXPECT_THAT(decide(*an_external_service(), service, &want, live.get()).why, HasSubstr("headless"));
  body(live).ours_cannot_be = false;
  body(live).our_label = false;
  const auto what = decide(*an_external_service(), service, &want, live.get());
  EXPECT_EQ(what.what, action::blocked);
  EXPECT_THAT(what.why, HasSubstr("Service web"));
}

TEST(Decide, WaitsForTheCollectorToTakeAPredecessorsChild) {
  const auto want = rendered(service);
  auto live = child(service);
  set_controller(body(live), "old");
  EXPECT_EQ(decided(service, &want, live.get()), action::replacing);
}

TEST(Decide, WaitsUntilAChildThatIsBeingDeletedIsGone) {
  const auto want = rendered(service, 2);
  auto live = child(service);
  live->meta.deleting = true;
  EXPECT_EQ(decided(service, &want, live.get()), action::deleting);
  EXPECT_EQ(decided(service, nullptr, live.get()), action::nothing);
}

TEST(Decide, ReplacesAnImmutableConfigMapThatDiffers) {
  auto live = child(config_map);
  body(live).immutable = true;
  const auto same = rendered(config_map), other = rendered(config_map, 2);
  EXPECT_EQ(decided(config_map, &same, live.get()), action::nothing);
  EXPECT_EQ(decided(config_map, &other, live.get()), action::replace);
}

TEST(Decide, RemovesOnlyItsOwn) {
  auto live = child(pod_disruption_budget);
  EXPECT_EQ(decided(pod_disruption_budget, nullptr, live.get()), action::remove);
  set_controller(body(live), "t", "Team");
  EXPECT_EQ(decided(pod_disruption_budget, nullptr, live.get()), action::nothing);
}

TEST(Decide, LeavesWhatWasFoundToBeUnwritable) {
  const auto want = rendered(service, 2);
  const auto live = child(service, 1);
  const auto es = an_external_service();
  EXPECT_EQ(decide(*es, service, &want, live.get(), settled{digest(1), digest(2)}).what, action::nothing);
  EXPECT_EQ(decide(*es, service, &want, live.get(), settled{digest(9), digest(2)}).what, action::repair);
  EXPECT_EQ(decide(*es, service, &want, live.get(), settled{digest(1), digest(9)}).what, action::repair);
}

TEST(Actions, HaveNames) {
  EXPECT_EQ(to_string(action::nothing), "nothing");
  EXPECT_EQ(to_string(action::blocked), "blocked");
  EXPECT_EQ(to_string(action::repair), "repair");
}

TEST(IsOurs, WhatWasFoundInOrderOrWritten) {
  using enum child_state;
  for (const auto state : {in_order, written}) EXPECT_TRUE(is_ours(state));
  for (const auto state : {name_taken, replacing, rejected, forbidden, failed, held_back, deleting, removed})
    EXPECT_FALSE(is_ours(state));
}

TEST(Deeds, NameTheKindsThatTheSameWasDoneTo) {
  child_outcomes all;
  EXPECT_TRUE(deeds_of(all).empty());
  all[kube::child_index(kube::kind::config_map)].did = action::create;
  all[kube::child_index(kube::kind::deployment)].did = action::repair;
  all[kube::child_index(kube::kind::service)].did = action::create;
  EXPECT_EQ(deeds_of(all),
            (std::vector<deed>{{action::create, "ConfigMap, Service"}, {action::repair, "Deployment"}}));
}

TEST(RunEnd, SaysWhenToLookAgain) {
  const auto end = [](std::initializer_list<child_state> states) {
    child_outcomes all;
    std::size_t i = 0;
    for (const auto state : states) all[i++].state = state;
    return end_of(all);
  };
  using enum child_state;
  EXPECT_TRUE(end({}).success);
  EXPECT_FALSE(end({written, removed}).requeue_after);
  EXPECT_FALSE(end({failed, written}).success);
  EXPECT_EQ(end({rejected}).requeue_after, milliseconds(300'000));
  EXPECT_EQ(end({forbidden}).requeue_after, milliseconds(30'000));
  EXPECT_EQ(end({rejected, name_taken}).requeue_after, milliseconds(30'000));
  EXPECT_EQ(end({replacing}).requeue_after, milliseconds(30'000));
}

TEST(RunEnd, WaitsAsLongAsTheServerAskedAnyChildFor) {
  child_outcomes all;
  EXPECT_EQ(end_of(all).asked_to_wait, milliseconds(0));
  for (const std::size_t i : {0u, 1u}) {
    all[i].state = child_state::failed;
    all[i].asked_to_wait = milliseconds(i == 0 ? 7'000 : 3'000);
  }
  EXPECT_EQ(end_of(all).asked_to_wait, milliseconds(7'000));
}

}  // namespace
}  // namespace egress::reconciler
