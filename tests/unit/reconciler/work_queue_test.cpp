#include "actors/reconciler/work_queue.hpp"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>
#include <string>
#include <tuple>

namespace egress::reconciler {
namespace {

using enum priority;
using std::chrono::seconds;
const steady_time t0{std::chrono::hours(1)};
using namespace std::chrono_literals;
constexpr verdict success{}, failure{.success = false, .requeue_after = {}};

std::string key_of(std::optional<job> job) {
  return job ? job->key : "";
}

TEST(WorkQueue, QueuesAKeyOnceAndGathersItsBits) {
  work_queue queue(16);
  queue.add("a", people, 1, t0);
  queue.add("a", people, 4, t0 + seconds(1));
  const auto job = queue.take(t0 + seconds(3));
  ASSERT_TRUE(job);
  EXPECT_EQ(job->changed, 5);
  EXPECT_EQ(job->queued_for, seconds(3));
  EXPECT_FALSE(queue.take(t0));
  EXPECT_EQ(queue.metrics(t0).adds, 1u);
}

TEST(WorkQueue, NeverRunsAKeyTwiceAtOnceButAgainAfterwards) {
  work_queue queue(16);
  queue.add("a", people, 1, t0);
  queue.take(t0);
  queue.add("a", people, 2, t0);
  EXPECT_FALSE(queue.take(t0));
  queue.done("a", success, {t0, 0});
  const auto again = queue.take(t0);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->changed, 2);
  queue.done("a", success, {t0, 0});
  EXPECT_FALSE(queue.take(t0));
  EXPECT_TRUE(queue.idle());
}

// "a" is processed, as one of the initial list, and an event of a child has come meanwhile.
struct PutOff : ::testing::Test {
  void SetUp() override {
    queue.add("a", listed, 0, t0);
    queue.take(t0);
    EXPECT_EQ(queue.changed_meanwhile("a"), 0);
    queue.add("a", people, 1, t0);
  }
  void put_off_and_end() {
    queue.put_off("a");
    queue.done("a", success, {t0, 0});
  }
  // The next key, its priority and its bits.
  using next_one = std::tuple<std::string, priority, int>;
  next_one next() {
    const auto job = queue.take(t0);
    return job ? next_one{job->key, job->how, job->changed} : next_one{};
  }
  work_queue queue{16};
};

TEST_F(PutOff, WaitsForTheOthers) {
  queue.add("a", people, 4, t0);
  EXPECT_EQ(queue.changed_meanwhile("a"), 5);
  queue.add("b", listed, 0, t0);
  put_off_and_end();
  EXPECT_EQ(next(), (next_one{"b", listed, 0}));
  queue.done("b", success, {t0, 0});
  EXPECT_EQ(next(), (next_one{"a", last, 5}));
}

TEST_F(PutOff, LeavesWhatCameForAnotherReason) {
  for (const auto other : {listed, people}) {
    queue.add("a", other, 0, t0);
    queue.add("a", last, 0, t0);
    put_off_and_end();
    EXPECT_EQ(next(), (next_one{"a", other, 1}));
    queue.add("a", people, 1, t0);
  }
}

TEST_F(PutOff, EndsWhenMoreComes) {
  put_off_and_end();
  queue.add("b", listed, 0, t0);
  queue.add("a", people, 2, t0);
  EXPECT_EQ(next(), (next_one{"a", people, 3}));
}

TEST(WorkQueue, ChangesByPeopleGoFirstThenTheInitialList) {
  work_queue queue(16);
  queue.add("a", background, 0, t0);
  queue.add("d", listed, 0, t0);
  queue.add("b", background, 0, t0);
  queue.add("c", people, 0, t0);
  queue.add("b", people, 0, t0);
  EXPECT_EQ(key_of(queue.take(t0)), "c");
  EXPECT_EQ(key_of(queue.take(t0)), "b");
  EXPECT_EQ(key_of(queue.take(t0)), "d");
  EXPECT_EQ(key_of(queue.take(t0)), "a");
  EXPECT_EQ(key_of(queue.take(t0)), "");
}

bool is_patient(work_queue& queue) {
  return queue.take(t0).value().patient;
}

TEST(WorkQueue, NobodyWaitsForARunWithAsManyOfTheFirstListBehindItAsRunAtOnce) {
  work_queue queue(2);
  for (const auto* const key : {"a", "b", "c", "d"}) queue.add(key, listed, 0, t0);
  EXPECT_TRUE(is_patient(queue)) << "b, c and d are behind it";
  queue.add("e", people, 0, t0);
  EXPECT_FALSE(is_patient(queue)) << "somebody changed it";
  queue.done("a", success, {t0, 0});
  EXPECT_TRUE(is_patient(queue)) << "c and d are behind it";
  queue.done("b", success, {t0, 0});
  EXPECT_FALSE(is_patient(queue)) << "only d is";
  queue.done("c", success, {t0, 0});
  EXPECT_FALSE(is_patient(queue));
}

TEST(WorkQueue, NobodyWaitsForAStatusThatCanWait) {
  work_queue queue(1);
  queue.add("a", last, 0, t0);
  queue.add("b", background, 0, t0);
  EXPECT_FALSE(is_patient(queue));
  queue.done("b", success, {t0, 0});
  EXPECT_TRUE(is_patient(queue));
}

const verdict status_later{.success = true, .requeue_after = {}, .status_later = true};

TEST(WorkQueue, AStatusThatCanWaitWaitsForAllOthers) {
  work_queue queue(16);
  queue.add("a", listed, 0, t0);
  queue.add("b", listed, 0, t0);
  EXPECT_EQ(key_of(queue.take(t0)), "a");
  EXPECT_TRUE(queue.others_wait("a", t0)) << "b is queued";
  queue.done("a", status_later, {t0, 0});
  EXPECT_EQ(key_of(queue.take(t0)), "b");
  EXPECT_FALSE(queue.others_wait("b", t0));
  EXPECT_EQ(key_of(queue.take(t0)), "") << "b is under way";
  EXPECT_TRUE(queue.others_wait("a", t0));
  queue.done("b", status_later, {t0, 0});
  EXPECT_FALSE(queue.others_wait("a", t0));
  EXPECT_EQ(key_of(queue.take(t0)), "a");
  EXPECT_EQ(key_of(queue.take(t0)), "b") << "the run of a is not about children";
  EXPECT_EQ(key_of(queue.take(t0)), "");
}

TEST(WorkQueue, AStatusDoesNotWaitForARunThatTakesLong) {
  work_queue queue(2);
  queue.add("a", listed, 0, t0);
  queue.add("b", listed, 0, t0);
  queue.take(t0);
  queue.take(t0 + 100ms);
  queue.done("a", status_later, {t0 + 200ms, 0});
  EXPECT_FALSE(queue.take(t0 + 200ms));
  EXPECT_EQ(queue.next_due(), t0 + 1100ms);
  EXPECT_TRUE(queue.others_wait("a", t0 + 1099ms));
  EXPECT_FALSE(queue.take(t0 + 1099ms));
  EXPECT_FALSE(queue.others_wait("a", t0 + 1100ms));
  EXPECT_EQ(key_of(queue.take(t0 + 1100ms)), "a");
  EXPECT_FALSE(queue.next_due());
}

TEST(WorkQueue, AStatusThatFindsNoPlaceIsNotDue) {
  work_queue queue(1);
  queue.add("a", listed, 0, t0);
  queue.take(t0);
  queue.done("a", status_later, {t0, 0});
  queue.add("b", listed, 0, t0);
  queue.take(t0);
  EXPECT_FALSE(queue.next_due()) << "done() is what it waits for";
}

TEST(WorkQueue, AStatusDoesNotWaitForWhatPeopleChangedOrIsLookedAtAgain) {
  for (const auto other : {people, background}) {
    work_queue queue(16);
    queue.add("a", listed, 0, t0);
    queue.take(t0);
    queue.add("b", other, 0, t0);
    EXPECT_EQ(key_of(queue.take(t0)), "b");
    EXPECT_FALSE(queue.others_wait("a", t0));
    queue.done("a", status_later, {t0, 0});
    EXPECT_EQ(key_of(queue.take(t0)), "a");
  }
}

TEST(WorkQueue, AStatusDoesNotWaitForWhoFailsAgainAndAgain) {
  work_queue queue(16);
  queue.add("a", listed, 0, t0);
  queue.add("b", listed, 0, t0);
  queue.take(t0);
  queue.take(t0);
  queue.done("a", status_later, {t0, 0});
  queue.done("b", failure, {t0, 0});
  const auto later = queue.next_due();
  ASSERT_TRUE(later);
  EXPECT_EQ(key_of(queue.take(t0)), "a");
  queue.done("a", status_later, {t0, 0});
  EXPECT_EQ(key_of(queue.take(*later)), "b");
  EXPECT_FALSE(queue.others_wait("a", *later));
  EXPECT_EQ(key_of(queue.take(*later)), "a");
}

TEST(WorkQueue, WhoBecomesMoreUrgentWaitsOnlyOnce) {
  work_queue queue(16);
  queue.add("a", listed, 0, t0);
  queue.add("a", people, 0, t0);
  EXPECT_FALSE(queue.others_wait("b", t0));
  EXPECT_EQ(key_of(queue.take(t0)), "a");
  EXPECT_EQ(queue.metrics(t0).depth, 0u);
}

TEST(WorkQueue, AResyncDoesNotMakeAKeyLessUrgent) {
  work_queue queue(16);
  queue.add("b", background, 0, t0);
  queue.add("a", people, 0, t0);
  queue.add("a", background, 0, t0);
  EXPECT_EQ(key_of(queue.take(t0)), "a");
}

TEST(WorkQueue, KeepsToItsConcurrency) {
  work_queue queue(2);
  for (const auto* key : {"a", "b", "c"}) queue.add(key, people, 0, t0);
  queue.take(t0);
  queue.take(t0);
  EXPECT_FALSE(queue.take(t0));
  queue.done("a", success, {t0, 0});
  EXPECT_EQ(key_of(queue.take(t0)), "c");
}

TEST(WorkQueue, AConcurrencyOfZeroIsOne) {
  work_queue queue(0);
  queue.add("a", people, 0, t0);
  EXPECT_TRUE(queue.take(t0));
}

TEST(WorkQueue, AFailedKeyReturnsAfterItsBackoff) {
  work_queue queue(16);
  queue.add("a", people, 1, t0);
  queue.take(t0);
  queue.done("a", failure, {t0, 0});
  EXPECT_EQ(queue.next_due(), t0 + milliseconds(5));
  EXPECT_FALSE(queue.take(t0 + milliseconds(4)));
  const auto again = queue.take(t0 + milliseconds(5));
  ASSERT_TRUE(again);
  EXPECT_EQ(again->how, people);
  EXPECT_EQ(queue.metrics(t0).retries, 1u);
}

TEST(WorkQueue, AFailedKeyWaitsAsLongAsTheServerAsks) {
  work_queue queue(16);
  queue.add("a", people, 1, t0);
  queue.take(t0);
  queue.done("a", {.success = false, .requeue_after = {}, .asked_to_wait = milliseconds(7'000)}, {t0, 0});
  EXPECT_EQ(queue.next_due(), t0 + milliseconds(7'000));
}

TEST(WorkQueue, SuccessForgetsTheFailures) {
  work_queue queue(16);
  auto now = t0;
  for (const auto& how : {failure, failure, success, failure}) {
    queue.add("a", people, 0, now);
    queue.take(now);
    queue.done("a", how, {now, 0});
    now += seconds(1);
  }
  EXPECT_EQ(queue.next_due(), t0 + seconds(3) + milliseconds(5));
}

TEST(WorkQueue, RequeuesAfterTheTimeThatTheRunAskedFor) {
  work_queue queue(16);
  queue.add("a", people, 0, t0);
  queue.take(t0);
  queue.done("a", {.success = true, .requeue_after = seconds(30)}, {t0, 0});
  EXPECT_EQ(queue.metrics(t0).delayed, 1u);
  EXPECT_FALSE(queue.take(t0 + seconds(29)));
  EXPECT_EQ(key_of(queue.take(t0 + seconds(30))), "a");
}

TEST(WorkQueue, ARunInBetweenMakesTheLaterOneNeedless) {
  work_queue queue(16);
  queue.add_after("a", background, seconds(30), t0);
  queue.add("a", people, 0, t0);
  queue.take(t0);
  queue.done("a", success, {t0, 0});
  EXPECT_FALSE(queue.next_due());
}

TEST(WorkQueue, OfTwoDelaysTheShorterCounts) {
  work_queue queue(16);
  queue.add_after("a", background, seconds(30), t0);
  queue.add_after("a", people, seconds(10), t0);
  queue.add_after("a", background, seconds(20), t0);
  EXPECT_EQ(queue.next_due(), t0 + seconds(10));
  queue.add_after("b", background, milliseconds(0), t0);
  EXPECT_EQ(key_of(queue.take(t0)), "b");
}

TEST(WorkQueue, ForgetsAKeyThatIsGone) {
  work_queue queue(16);
  queue.add("a", people, 0, t0);
  queue.take(t0);
  queue.done("a", failure, {t0, 0});
  queue.forget("a");
  EXPECT_FALSE(queue.next_due());
}

TEST(WorkQueue, DoneForAKeyThatIsNotProcessedDoesNothing) {
  work_queue queue(16);
  EXPECT_EQ(queue.done("a", failure, {t0, 0}), std::chrono::nanoseconds(0));
  EXPECT_FALSE(queue.next_due());
}

TEST(WorkQueue, TellsItsMetrics) {
  work_queue queue(2);
  for (const auto* key : {"a", "b", "c"}) queue.add(key, people, 0, t0);
  queue.take(t0);
  queue.take(t0 + seconds(2));
  const auto facts = queue.metrics(t0 + seconds(5));
  EXPECT_EQ(facts.adds, 3u);
  EXPECT_EQ(facts.depth, 1u);
  EXPECT_EQ(facts.processing, 2u);
  EXPECT_DOUBLE_EQ(facts.unfinished.count(), 8);
  EXPECT_DOUBLE_EQ(facts.longest_running.count(), 5);
  EXPECT_EQ(queue.done("b", success, {t0 + seconds(5), 0}), seconds(3));
}

TEST(RetryLimiter, DoublesFromFiveMillisecondsToAThousandSeconds) {
  retry_limiter limiter;
  auto now = t0;
  const auto next = [&](const std::string& key, double random) {
    const auto delay = limiter.next(key, now, {now, random}, milliseconds(0));
    now += delay;
    return delay;
  };
  for (int n = 0; n < 18; ++n)
    EXPECT_EQ(next("a", 0), std::min(milliseconds(5L << n), milliseconds(1'000'000)));
  for (int n = 0; n < 100; ++n) EXPECT_EQ(next("a", 0), milliseconds(1'000'000));
  EXPECT_EQ(next("b", 0.5), milliseconds(6));
  EXPECT_EQ(next("b", 0.9), milliseconds(14));
  EXPECT_EQ(limiter.failures("b"), 2u);
  EXPECT_EQ(limiter.failures("c"), 0u);
}

// A run that something started meanwhile, its own status' event for one, is no second try.
TEST(RetryLimiter, AFailureBeforeItsTurnKeepsTheTurn) {
  retry_limiter limiter;
  const auto next = [&](long began, long ended, long asked = 0) {
    return limiter.next("a", t0 + milliseconds(began), {t0 + milliseconds(ended), 0}, milliseconds(asked));
  };
  EXPECT_EQ(next(0, 0), milliseconds(5));
  EXPECT_EQ(next(1, 3), milliseconds(2));
  EXPECT_EQ(limiter.failures("a"), 1u);
  EXPECT_EQ(next(3, 20), milliseconds(5)) << "its turn has passed, and is not at once";
  EXPECT_EQ(limiter.failures("a"), 1u);
  EXPECT_EQ(next(25, 25), milliseconds(10));
  EXPECT_EQ(limiter.failures("a"), 2u);
  // Who is asked to wait has its turn so much later.
  EXPECT_EQ(next(35, 35, 60'000), milliseconds(60'000));
  EXPECT_EQ(next(100, 135), milliseconds(59'900));
  EXPECT_EQ(limiter.failures("a"), 3u);
  limiter.forget("a");
  EXPECT_EQ(next(200, 200), milliseconds(5));
}

TEST(WorkQueue, ChangesDoNotMakeAFailingKeyWaitLonger) {
  work_queue queue(16);
  for (int i = 0; i < 100; ++i) {
    queue.add("a", people, 0, t0);
    ASSERT_TRUE(queue.take(t0)) << "whatever is changed is tried at once";
    queue.done("a", failure, {t0, 0});
  }
  EXPECT_EQ(queue.next_due(), t0 + milliseconds(5));
}

// Whatever is added and whenever runs end: no key runs twice at once, no change is lost, and every bit
// reaches a run that began after it was added.
TEST(WorkQueue, LosesNothingUnderRandomInterleavings) {
  for (unsigned seed = 0; seed < 2'000; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    const auto below = [&](unsigned n) { return std::uniform_int_distribution<unsigned>(0, n - 1)(random); };
    work_queue queue(1 + below(4));
    std::map<std::string, unsigned> owed;  // bits not given to a run yet
    std::set<std::string> running;
    auto now = t0;
    const auto take = [&] {
      auto job = queue.take(now);
      if (!job) return false;
      EXPECT_TRUE(running.insert(job->key).second) << "twice at once";
      EXPECT_EQ(job->changed, owed[job->key]);
      owed.erase(job->key);
      return true;
    };
    const auto finish = [&](unsigned failing) {
      const auto key = *running.begin();
      running.erase(key);
      queue.done(key, below(100) < failing ? failure : success, {now, 0.5});
    };
    for (int step = 0; step < 200; ++step) {
      now += milliseconds(below(4));
      const auto key = std::string(1, static_cast<char>('a' + below(5)));
      const auto bits = static_cast<kind_mask>(1U << below(6));
      switch (below(3)) {
        case 0:
          queue.add(key, below(2) == 0 ? people : background, bits, now);
          owed[key] |= bits;
          break;
        case 1:
          take();
          break;
        default:
          if (!running.empty()) finish(30);
      }
    }
    for (int step = 0;
         step < 10'000 && (!queue.idle() || queue.metrics(now).depth + queue.metrics(now).delayed > 0);
         ++step) {
      if (take()) continue;
      if (!running.empty()) finish(0);
      now = std::max(now, queue.next_due().value_or(now));
    }
    EXPECT_TRUE(owed.empty());
    EXPECT_EQ(queue.metrics(now).depth, 0u);
  }
}

}  // namespace
}  // namespace egress::reconciler
