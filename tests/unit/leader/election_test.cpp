#include "actors/leader/election.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

namespace egress::leader {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using change = step::change;
using verb = lease_request::verb;

moment at(std::chrono::nanoseconds local, double random = 0) {
  return {boot_time{1000s + local}, wall_time{} + 20000h, random};
}
boot_time time_of(std::chrono::nanoseconds local) {
  return at(local).local;
}

lease lease_of(std::string holder, int version, std::int64_t duration = 30) {
  lease made{{std::move(holder), duration, "a", "r", 2}, std::to_string(version), {}};
  made.document = {{"metadata", json::object{{"resourceVersion", made.resource_version}}}};
  return made;
}

// What the server keeps after it took this body.
lease stored(const lease_request& request, int version) {
  auto document = boost::json::parse(request.body).as_object();
  document["metadata"].as_object()["resourceVersion"] = std::to_string(version);
  return *decode_lease(boost::json::serialize(document));
}

election candidate() {
  return election{{.name_space = "ns", .identity = "me"}};
}

void expect_send(const step& made, verb what) {
  ASSERT_TRUE(made.send);
  EXPECT_EQ(made.send->what, what);
}

// A leader since `start` (its create went out then), with the Lease at version 1.
election leader(std::chrono::nanoseconds start = 0s) {
  auto machine = candidate();
  machine.start(at(start));
  const auto create = machine.on_answer(lease_missing{}, at(start));
  machine.on_answer(stored(*create.send, 1), at(start));
  EXPECT_TRUE(machine.leads());
  return machine;
}

TEST(Election, WithoutALeaseOneIsCreatedAndLed) {
  auto machine = candidate();
  expect_send(machine.start(at(0s)), verb::get);
  const auto create = machine.on_answer(lease_missing{}, at(1s));
  expect_send(create, verb::create);
  EXPECT_THAT(create.send->body, HasSubstr(R"("holderIdentity":"me","leaseDurationSeconds":30)"));
  EXPECT_EQ(create.write_until, boot_time::min());
  const auto led = machine.on_answer(stored(*create.send, 1), at(4s));
  EXPECT_EQ(led.leadership, change::gained);
  EXPECT_EQ(led.write_until, time_of(21s));  // 20 s from when the create went out
  EXPECT_EQ(led.wake_at, time_of(3s));
  EXPECT_EQ(machine.holder(), "me");
}

TEST(Election, AHeldLeaseIsTakenOnlyAfterThirtySecondsWithoutChange) {
  auto machine = candidate();
  machine.start(at(0s));
  auto made = machine.on_answer(lease_of("other", 5), at(0s));
  EXPECT_FALSE(made.send);
  EXPECT_EQ(made.wake_at, time_of(2s));
  expect_send(machine.on_timer(at(29s)), verb::get);
  EXPECT_FALSE(machine.on_answer(lease_of("other", 5), at(29s)).send);
  expect_send(machine.on_timer(at(32s)), verb::get);
  made = machine.on_answer(lease_of("other", 5), at(32s));
  expect_send(made, verb::replace);
  EXPECT_THAT(made.send->body, HasSubstr(R"("leaseTransitions":3)"));
  EXPECT_THAT(made.send->body, HasSubstr(R"("resourceVersion":"5")"));
}

TEST(Election, EveryChangeOfTheLeaseStartsTheWaitAgain) {
  auto machine = candidate();
  machine.start(at(0s));
  machine.on_answer(lease_of("other", 5), at(0s));
  machine.on_timer(at(31s));
  EXPECT_FALSE(machine.on_answer(lease_of("other", 6), at(31s)).send);
  machine.on_timer(at(60s));
  EXPECT_FALSE(machine.on_answer(lease_of("other", 6), at(60s)).send);
}

TEST(Election, AShorterDurationInTheLeaseIsNotBelievedALongerOneIs) {
  for (const auto& [duration, taken_at] :
       {std::pair{1, 30s}, std::pair{0, 30s}, std::pair{-5, 30s}, std::pair{60, 60s}}) {
    auto machine = candidate();
    machine.start(at(0s));
    machine.on_answer(lease_of("other", 5, duration), at(0s));
    machine.on_timer(at(taken_at - 1s));
    EXPECT_FALSE(machine.on_answer(lease_of("other", 5, duration), at(taken_at - 1ns)).send) << duration;
    machine.on_timer(at(taken_at + 9s));
    EXPECT_TRUE(machine.on_answer(lease_of("other", 5, duration), at(taken_at + 9s)).send) << duration;
  }
}

TEST(Election, CandidatesTryAtOnceWhenTheHolderLetsGo) {
  auto machine = candidate();
  machine.start(at(0s));
  machine.on_answer(lease_of("other", 5), at(0s));
  const auto released = lease_of("", 6, 1);
  expect_send(machine.on_watch(&released, at(1s)), verb::replace);
  EXPECT_FALSE(machine.on_watch(&released, at(1s)).send);  // one request at a time
}

TEST(Election, AHandOverDuringARequestIsNotMissed) {
  auto machine = candidate();
  machine.start(at(0s));
  const auto released = lease_of("", 6, 1);
  EXPECT_FALSE(machine.on_watch(&released, at(1s)).send);
  expect_send(machine.on_answer(lease_of("other", 5), at(1s)), verb::get);
  expect_send(machine.on_answer(lease_of("", 6, 1), at(1s)), verb::replace);
}

TEST(Election, ItsTimesKeepTheirProportionToTheLease) {
  const auto usual = election_settings::with_lease(30s);
  EXPECT_EQ(usual.renew_deadline, 20s);
  EXPECT_EQ(usual.retry_period, 2s);
  EXPECT_EQ(usual.request_timeout, 5s);
  EXPECT_EQ(usual.write_timeout, 5s);
  for (const auto lease : {3s, 7s, 15s, 3600s}) {
    const auto made = election_settings::with_lease(lease);
    EXPECT_LT(made.renew_deadline + made.write_timeout, lease) << "a last write ends before the Lease does";
    EXPECT_LT(made.retry_period * (1 + made.jitter) + made.request_timeout, made.renew_deadline);
  }
}

TEST(Election, CandidatesWaitWithJitter) {
  auto machine = candidate();
  machine.start(at(0s));
  EXPECT_EQ(machine.on_answer(lease_of("other", 5), at(0s, 0.5)).wake_at, time_of(3200ms));
}

TEST(Election, ALeaderRenewsEveryTwoSecondsFromTheStartOfTheLastRenewal) {
  auto machine = leader();
  const auto renewal = machine.on_timer(at(2s));
  expect_send(renewal, verb::replace);
  EXPECT_THAT(renewal.send->body, HasSubstr(R"("leaseTransitions":0)"));
  const auto made = machine.on_answer(stored(*renewal.send, 2), at(3s));
  EXPECT_EQ(made.leadership, change::none);
  EXPECT_EQ(made.write_until, time_of(22s));
  EXPECT_EQ(made.wake_at, time_of(4s));
}

TEST(Election, ALeaderThatCannotRenewIsNoneAfterTwentySeconds) {
  auto machine = leader();
  auto made = machine.on_timer(at(2s));
  EXPECT_EQ(made.wake_at, time_of(20s));  // while the request is on its way
  made = machine.on_answer(lease_failure{"timed out"}, at(7s));
  EXPECT_EQ(made.leadership, change::none);
  EXPECT_THAT(made.text, HasSubstr("timed out"));
  EXPECT_EQ(made.wake_at, time_of(9s));
  machine.on_timer(at(9s));
  made = machine.on_timer(at(20s));
  EXPECT_EQ(made.leadership, change::lost);
  EXPECT_EQ(made.write_until, boot_time::min());
  EXPECT_FALSE(machine.leads());
}

TEST(Election, ARenewalThatComesTooLateGivesNoTimeToWrite) {
  auto machine = leader();
  const auto renewal = machine.on_timer(at(2s));
  const auto made = machine.on_answer(stored(*renewal.send, 2), at(22s));
  EXPECT_EQ(made.leadership, change::lost);
  EXPECT_EQ(made.write_until, boot_time::min());
}

TEST(Election, AFailureThatIsHeardWithTheLossIsToldBesideIt) {
  auto machine = leader();
  machine.on_timer(at(2s));
  const auto made = machine.on_answer(lease_failure{"timed out"}, at(22s));
  EXPECT_EQ(made.leadership, change::lost);
  EXPECT_THAT(made.text, HasSubstr("no longer the leader"));
  EXPECT_THAT(made.text, HasSubstr("timed out"));
}

TEST(Election, ALeaderWhosePauseWasTooLongLosesBeforeAnythingElse) {
  auto machine = leader();
  const auto made = machine.on_timer(at(300s));
  EXPECT_EQ(made.leadership, change::lost);
  expect_send(made, verb::get);
}

TEST(Election, AConflictIsLookedAtAtOnce) {
  auto machine = leader();
  machine.on_timer(at(2s));
  expect_send(machine.on_answer(lease_conflict{}, at(2s)), verb::get);
  const auto made = machine.on_answer(lease_of("me", 9), at(2s));  // a renewal whose answer was lost
  expect_send(made, verb::replace);
  EXPECT_TRUE(machine.leads());
}

TEST(Election, ALeaderThatFindsAnotherHolderStopsAtOnce) {
  auto machine = leader();
  machine.on_timer(at(2s));
  machine.on_answer(lease_conflict{}, at(2s));
  const auto made = machine.on_answer(lease_of("other", 9), at(2s));
  EXPECT_EQ(made.leadership, change::lost);
  EXPECT_EQ(made.write_until, boot_time::min());
  EXPECT_THAT(made.text, HasSubstr("held by other"));
  EXPECT_FALSE(made.send);
}

TEST(Election, ALeaderAsksBeforeItBelievesAnOldEvent) {
  auto machine = leader();
  const auto old = lease_of("other", 0);
  expect_send(machine.on_watch(&old, at(1s)), verb::get);
  EXPECT_TRUE(machine.leads());
}

TEST(Election, AVanishedLeaseCountsAsHeldUntilItsTimeIsOver) {
  auto machine = candidate();
  machine.start(at(0s));
  machine.on_answer(lease_of("other", 5), at(0s));
  EXPECT_FALSE(machine.on_watch(nullptr, at(1s)).send);
  machine.on_timer(at(5s));
  EXPECT_FALSE(machine.on_answer(lease_missing{}, at(5s)).send);
  machine.on_timer(at(31s));
  expect_send(machine.on_answer(lease_missing{}, at(31s)), verb::create);
}

TEST(Election, ALeaderWhoseLeaseVanishedStops) {
  auto machine = leader();
  machine.on_timer(at(2s));
  const auto made = machine.on_answer(lease_missing{}, at(2s));
  EXPECT_EQ(made.leadership, change::lost);
  EXPECT_EQ(made.write_until, boot_time::min());
}

TEST(Election, StoppingClosesFirstAndThenHandsOn) {
  auto machine = leader();
  const auto made = machine.stop(at(1s));
  EXPECT_EQ(made.write_until, boot_time::min());
  EXPECT_EQ(made.leadership, change::lost);
  expect_send(made, verb::replace);
  EXPECT_THAT(made.send->body, HasSubstr(R"("holderIdentity":"","leaseDurationSeconds":1)"));
  EXPECT_FALSE(made.finished);
  EXPECT_TRUE(machine.on_answer(stored(*made.send, 2), at(1s)).finished);
}

TEST(Election, StoppingWaitsForTheRenewalUnderWay) {
  auto machine = leader();
  const auto renewal = machine.on_timer(at(2s));
  EXPECT_FALSE(machine.stop(at(3s)).send);
  const auto made = machine.on_answer(stored(*renewal.send, 2), at(4s));
  EXPECT_EQ(made.write_until, boot_time::min());
  expect_send(made, verb::replace);
  EXPECT_THAT(made.send->body, HasSubstr(R"("resourceVersion":"2")"));
}

TEST(Election, AReleaseThatConflictsIsTriedOnceMore) {
  auto machine = leader();
  machine.stop(at(1s));
  expect_send(machine.on_answer(lease_conflict{}, at(1s)), verb::get);
  expect_send(machine.on_answer(lease_of("me", 8), at(1s)), verb::replace);
  machine.on_answer(lease_conflict{}, at(1s));
  EXPECT_TRUE(machine.on_answer(lease_of("me", 9), at(1s)).finished);
}

TEST(Election, StoppingEndsWithoutARequestWhenThereIsNothingToHandOn) {
  auto machine = candidate();
  machine.start(at(0s));
  machine.on_answer(lease_of("other", 5), at(0s));
  const auto made = machine.stop(at(1s));
  EXPECT_TRUE(made.finished);
  EXPECT_FALSE(made.send);
  auto failing = leader();
  failing.stop(at(1s));
  EXPECT_TRUE(failing.on_answer(lease_failure{"away"}, at(2s)).finished);
}

}  // namespace
}  // namespace egress::leader
