#include "actors/reconciler/expectations.hpp"

#include <gtest/gtest.h>

#include "tests/unit/reconciler/fixtures.hpp"

namespace egress::reconciler {
namespace {

using namespace testing;
using enum kube::kind;

constexpr auto at = kube::child_index(service);
constexpr kind_mask service_bit = 1U << at;

class Expectations : public ::testing::Test {
 protected:
  void wrote(kube::object_ptr now) {
    child_outcomes outcomes;
    outcomes[at].state = now ? child_state::written : child_state::removed;
    outcomes[at].now = std::move(now);
    known.learn(seen, outcomes);
  }
  kube::object_ptr service_now(kind_mask changed = 0) { return known.effective(seen, changed)[at]; }

  static kube::object_ptr service_at(const char* address) {
    auto made = child(service, 1, "5");
    body(made).cluster_ips = {address};
    return made;
  }

  seen_children seen;
  expectations known;
};

TEST_F(Expectations, WhatWasCreatedIsThereBeforeTheInformerShowsIt) {
  const auto made = child(service);
  wrote(made);
  EXPECT_EQ(service_now(), made);
  EXPECT_EQ(service_now(), made) << "it stays until it is overtaken";
}

TEST_F(Expectations, TheSnapshotWinsOnceItHasMovedOn) {
  wrote(child(service, 1, "5"));
  const auto newer = child(service, 1, "6");
  seen.objects[at] = newer;
  EXPECT_EQ(service_now(service_bit), newer);
  seen.objects[at] = nullptr;
  EXPECT_EQ(service_now(), nullptr) << "the expectation is gone for good";
}

TEST_F(Expectations, AChildThatCameAndWentInBetweenIsGone) {
  wrote(child(service));
  EXPECT_EQ(service_now(service_bit), nullptr);
}

TEST_F(Expectations, ChangesOfOtherKindsDoNotMatter) {
  wrote(child(service));
  EXPECT_NE(service_now(static_cast<kind_mask>(~service_bit)), nullptr);
}

TEST_F(Expectations, AFullListForgetsWhatWasExpected) {
  wrote(child(service));
  seen.epochs[at] = 2;
  EXPECT_EQ(service_now(), nullptr);
}

TEST_F(Expectations, APatchCountsUntilItsEventComes) {
  seen.objects[at] = child(service, 1, "5");
  const auto patched = child(service, 2, "6");
  wrote(patched);
  EXPECT_EQ(service_now(), patched);
  seen.objects[at] = child(service, 1, "7");
  EXPECT_EQ(service_now(), seen.objects[at]);
}

TEST_F(Expectations, WhatIsInTheWayIsLookedAtAnew) {
  for (const auto state : {child_state::name_taken, child_state::replacing, child_state::deleting}) {
    child_outcomes outcomes;
    outcomes[at].state = state;
    outcomes[at].now = child(service);
    known.learn(seen, outcomes);
    EXPECT_EQ(service_now(), nullptr) << "it has gone, and nothing tells of it";
  }
}

TEST_F(Expectations, WhatWasWrittenForAPredecessorIsLookedAtAnew) {
  wrote(child(service));
  child_outcomes outcomes;
  outcomes[at].state = child_state::replacing;
  known.learn(seen, outcomes);
  EXPECT_EQ(service_now(), nullptr);
}

TEST_F(Expectations, ARemovedChildIsGoneBeforeItsEventComes) {
  seen.objects[at] = child(service, 1, "5");
  wrote(nullptr);
  EXPECT_EQ(service_now(), nullptr);
}

TEST_F(Expectations, RememberTheAddressOfAServiceThatIsGone) {
  EXPECT_EQ(known.last_cluster_ip(), "");
  auto live = child(service);
  body(live).cluster_ips = {"10.0.0.4", "fd00::4"};
  seen.objects[at] = live;
  service_now();
  seen.objects[at] = nullptr;
  service_now(service_bit);
  EXPECT_EQ(known.last_cluster_ip(), "10.0.0.4");
}

TEST_F(Expectations, RememberTheAddressOfAServiceThatWentBeforeARunSawIt) {
  const auto made = service_at("10.0.0.4");
  wrote(made);
  EXPECT_TRUE(known.has_come(at, *made, 0));
  service_now(service_bit);
  EXPECT_EQ(known.last_cluster_ip(), "10.0.0.4");
}

TEST_F(Expectations, RememberNoAddressOfSomebodyElsesService) {
  wrote(service_at("10.0.0.4"));
  child_outcomes outcomes;
  outcomes[at].state = child_state::name_taken;
  outcomes[at].now = service_at("10.0.0.9");
  known.learn(seen, outcomes);
  EXPECT_EQ(known.last_cluster_ip(), "10.0.0.4");
}

TEST_F(Expectations, NothingMoreIsExpectedOfAWriteThatHasCome) {
  wrote(child(service, 1, "5"));
  EXPECT_FALSE(known.has_come(at, *child(service, 1, "4"), 0)) << "an earlier state";
  EXPECT_FALSE(known.has_come(at, *child(service, 2, "6"), 0)) << "changed since";
  EXPECT_FALSE(known.has_come(at, *child(service, 1, "5"), 1)) << "of another list";
  EXPECT_NE(service_now(), nullptr);
  EXPECT_TRUE(known.has_come(at, *child(service, 1, "5"), 0));
  EXPECT_FALSE(known.has_come(at, *child(service, 1, "5"), 0)) << "somebody else's, by now";
  EXPECT_EQ(service_now(), nullptr) << "the snapshot counts";
}

TEST_F(Expectations, ARemovalDoesNotCome) {
  seen.objects[at] = child(service, 1, "5");
  wrote(nullptr);
  EXPECT_FALSE(known.has_come(at, *child(service, 1, "5"), 0));
}

TEST_F(Expectations, KeepWhatCannotBeWritten) {
  child_outcomes outcomes;
  outcomes[at].compared = settled{digest(1), digest(2)};
  known.learn(seen, outcomes);
  known.learn(seen, {});
  EXPECT_EQ(known.known()[at], (settled{digest(1), digest(2)}));
}

TEST_F(Expectations, AStatusThatWasWrittenCountsUntilTheObjectMovesOn) {
  const auto es = an_external_service();
  EXPECT_EQ(known.effective_status(*es, 1).resource_version, "100");
  kube::external_service_status written;
  written.cluster_ip = "10.0.0.4";
  known.wrote_status(*es, 1, written, "101");
  EXPECT_EQ(known.effective_status(*es, 1).resource_version, "101");
  EXPECT_EQ(known.effective_status(*es, 1).status.cluster_ip, "10.0.0.4");
  EXPECT_EQ(known.effective_status(*es, 2).resource_version, "100");
  known.wrote_status(*es, 2, written, "101");
  auto next = *es;
  next.meta.resource_version = "102";
  EXPECT_EQ(known.effective_status(next, 2).status.cluster_ip, "");
}

}  // namespace
}  // namespace egress::reconciler
