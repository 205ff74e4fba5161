#include "actors/reconciler/events.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/reconciler/fixtures.hpp"

namespace egress::reconciler {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;
using testing::tree;

const wall_time t0{std::chrono::sys_days{std::chrono::year{2026} / 1 / 2}};

happening told(const std::string& message, const std::string& reason = "NameTaken",
               const std::string& uid = "u") {
  return {"web", uid, "100", event_kind::warning, reason, message};
}

class Events : public ::testing::Test {
 protected:
  event_recorder recorder{"egress-operator", "pod-1"};
  json::object body(const std::optional<kube::request>& request) {
    return request ? tree(request->body) : json::object{};
  }
};

TEST_F(Events, AreCreatedAboutAnObjectWithoutNamespace) {
  const auto request = recorder.record(told("the Service is somebody's"), t0);
  ASSERT_TRUE(request);
  EXPECT_EQ(request->what, kube::verb::create);
  EXPECT_EQ(request->of, kube::kind::event);
  EXPECT_EQ(request->name_space, "default");
  const auto event = body(request);
  const auto name = event.at("metadata").at("name").as_string();
  EXPECT_TRUE(name.starts_with("web."));
  EXPECT_EQ(event.at("metadata").at("namespace").as_string(), "default");
  EXPECT_EQ(
      event.at("involvedObject"),
      json::value(tree(
          R"({"apiVersion":"egress.monzo.com/v1","kind":"ExternalService","name":"web","uid":"u","resourceVersion":"100"})")));
  EXPECT_EQ(event.at("type").as_string(), "Warning");
  EXPECT_EQ(event.at("count").as_int64(), 1);
  EXPECT_EQ(event.at("firstTimestamp").as_string(), "2026-01-02T00:00:00Z");
  EXPECT_EQ(event.at("reportingInstance").as_string(), "pod-1");
}

TEST_F(Events, HaveANameThatTheServerTakesWhateverTheObjectIsCalled) {
  for (const auto& object : {std::string(253, 'a'), std::string(231, 'a') + "." + std::string(21, 'b')}) {
    auto what = told("it has too long a name", "NameTooLong", object);
    what.name = object;
    const auto event = body(recorder.record(what, t0));
    const std::string name(event.at("metadata").at("name").as_string());
    EXPECT_LE(name.size(), 253U);
    EXPECT_TRUE(name.starts_with(object.substr(0, 200)));
    EXPECT_FALSE(name.contains(".."));
  }
}

TEST_F(Events, TheSameAgainRaisesTheCount) {
  const auto first = body(recorder.record(told("m"), t0));
  const auto again = recorder.record(told("m"), t0 + seconds(5));
  ASSERT_TRUE(again);
  EXPECT_EQ(again->what, kube::verb::patch);
  EXPECT_EQ(again->name, std::string(first.at("metadata").at("name").as_string()));
  EXPECT_EQ(body(again), tree(R"({"count":2,"message":"m","lastTimestamp":"2026-01-02T00:00:05Z"})"));
}

TEST_F(Events, OneThatTheServerDroppedIsCreatedAnew) {
  const auto first = body(recorder.record(told("m"), t0));
  recorder.expired(std::string(first.at("metadata").at("name").as_string()));
  EXPECT_EQ(recorder.record(told("m"), t0)->what, kube::verb::create);
}

TEST_F(Events, NamesDifferWithinOneInstant) {
  const auto a = body(recorder.record(told("a"), t0)), b = body(recorder.record(told("b"), t0));
  EXPECT_NE(a.at("metadata").at("name"), b.at("metadata").at("name"));
}

TEST_F(Events, TenSimilarWithinTenMinutesBecomeOne) {
  for (int i = 0; i < 9; ++i)
    EXPECT_EQ(recorder.record(told(std::to_string(i)), t0)->what, kube::verb::create);
  const auto tenth = recorder.record(told("ten"), t0);
  EXPECT_EQ(tenth->what, kube::verb::create);
  EXPECT_EQ(body(tenth).at("message").as_string(), "(combined from similar events): ten");
  const auto eleventh = recorder.record(told("eleven"), t0);
  EXPECT_EQ(eleventh->what, kube::verb::patch);
  EXPECT_EQ(body(eleventh).at("count").as_int64(), 2);
  EXPECT_EQ(recorder.record(told("other", "HijackStarted"), t0)->what, kube::verb::create);
}

TEST_F(Events, SimilarOnesLongAgoDoNotCount) {
  for (int i = 0; i < 9; ++i) recorder.record(told(std::to_string(i)), t0);
  EXPECT_EQ(body(recorder.record(told("ten"), t0 + minutes(11))).at("message").as_string(), "ten");
}

TEST_F(Events, AnObjectHas25AtOnceThenOneInFiveMinutes) {
  for (int i = 0; i < 25; ++i) EXPECT_TRUE(recorder.record(told("m"), t0));
  EXPECT_FALSE(recorder.record(told("m"), t0));
  EXPECT_TRUE(recorder.record(told("m", "NameTaken", "another"), t0));
  EXPECT_FALSE(recorder.record(told("m"), t0 + seconds(299)));
  EXPECT_TRUE(recorder.record(told("m"), t0 + seconds(301)));
  EXPECT_FALSE(recorder.record(told("m"), t0 + seconds(302)));
}

TEST_F(Events, AClockThatGoesBackGivesNoTokens) {
  for (int i = 0; i < 25; ++i) recorder.record(told("m"), t0);
  EXPECT_FALSE(recorder.record(told("m"), t0 - minutes(60)));
}

TEST_F(Events, MemoryIsBoundedInAFlood) {
  for (int i = 0; i < 20'000; ++i) {
    recorder.record(told("m", "R", std::to_string(i)), t0 + milliseconds(i));
    ASSERT_LE(recorder.size(), 4'097u);
  }
}

}  // namespace
}  // namespace egress::reconciler
