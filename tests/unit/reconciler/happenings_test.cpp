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

TEST(repair_watch, tells_of_a_second_repair_within_a_minute) {
  const auto web = testing::an_external_service({}, "web", "u");
  repair_watch watch;
  const auto told = [&](kube::kind of, seconds at) {
    return watch.look(*web, repaired(of, {"/spec/x", "/spec/y"}), t0 + at);
  };
  EXPECT_TRUE(told(kube::kind::service, seconds{0}).empty());
  EXPECT_TRUE(told(kube::kind::config_map, seconds{1}).empty()) << "another child";
  const auto again = told(kube::kind::service, seconds{59});
  ASSERT_EQ(again.size(), 1U);
  EXPECT_EQ(again[0].reason, "RepairedAgain");
  EXPECT_EQ(again[0].message, "somebody keeps changing Service web: put right again at /spec/x, /spec/y");
  EXPECT_TRUE(told(kube::kind::service, seconds{120}).empty());
}

TEST(repair_watch, does_not_list_thousands_of_fields) {
  const auto web = testing::an_external_service({}, "web", "u");
  pointers many;
  for (int i = 0; i < 5000; ++i) many.insert("/data/key-" + std::to_string(i));
  repair_watch watch;
  watch.look(*web, repaired(kube::kind::config_map, many), t0);
  const auto again = watch.look(*web, repaired(kube::kind::config_map, many), t0);
  ASSERT_EQ(again.size(), 1U);
  EXPECT_LE(again[0].message.size(), 1024U);
  EXPECT_TRUE(again[0].message.ends_with("...")) << again[0].message;
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
