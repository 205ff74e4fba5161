#include "runtime/base/time.hpp"

#include <gtest/gtest.h>

namespace egress {
namespace {

using namespace std::chrono_literals;
using std::chrono::sys_days;

constexpr wall_time noon = sys_days{std::chrono::year{2026} / 1 / 2} + 15h + 4min + 5s;

TEST(Time, IsWrittenAsMetav1WritesIt) {
  EXPECT_EQ(to_rfc3339(noon + 999ms), "2026-01-02T15:04:05Z");
  EXPECT_EQ(to_rfc3339_micro(noon + 42us), "2026-01-02T15:04:05.000042Z");
  EXPECT_EQ(to_rfc3339(wall_time{} - 1s), "1969-12-31T23:59:59Z");
  EXPECT_EQ(to_rfc3339_micro(wall_time{} - 1us), "1969-12-31T23:59:59.999999Z");
}

TEST(Time, BothFormsAndOffsetsAreRead) {
  EXPECT_EQ(from_rfc3339("2026-01-02T15:04:05Z"), noon);
  EXPECT_EQ(from_rfc3339("2026-01-02t15:04:05z"), noon);
  EXPECT_EQ(from_rfc3339("2026-01-02T15:04:05.000042Z"), noon + 42us);
  EXPECT_EQ(from_rfc3339("2026-01-02T15:04:05.5Z"), noon + 500ms);
  EXPECT_EQ(from_rfc3339("2026-01-02T15:04:05.123456789Z"), noon + 123456us);
  EXPECT_EQ(from_rfc3339("2026-01-02T17:34:05+02:30"), noon);
  EXPECT_EQ(from_rfc3339("2026-01-02T14:04:05-01:00"), noon);
}

TEST(Time, WhatIsWrittenReadsBack) {
  for (auto when = noon; when < noon + 800 * 24h; when += 31h + 17min + 3us)
    EXPECT_EQ(from_rfc3339(to_rfc3339_micro(when)), when);
}

TEST(Time, AnythingElseIsNothing) {
  for (const auto* bad :
       {"", "2026", "2026-01-02", "2026-01-02T15:04:05", "2026-01-02 15:04:05Z", "2026-02-30T00:00:00Z",
        "2026-13-01T00:00:00Z", "2026-01-02T24:00:00Z", "2026-01-02T15:60:00Z", "2026-01-02T15:04:61Z",
        "2026-01-02T15:04:05.Z", "2026-01-02T15:04:05Zx", "2026-01-02T15:04:05+0100",
        "2026-01-02T15:04:05+24:00", "-026-01-02T15:04:05Z", "2026-1-02T15:04:05Z", "2026-01-02T15:04:-5Z"})
    EXPECT_FALSE(from_rfc3339(bad)) << bad;
}

}  // namespace
}  // namespace egress
