#include "actors/metrics/health.hpp"

#include <gtest/gtest.h>

namespace egress::metrics {
namespace {

TEST(Health, AllWellIsOk) {
  EXPECT_EQ(judge("readyz", {}, false).body, "ok\n");
  const auto made = judge("readyz", {{"a", true, ""}, {"b", true, "ignored"}}, true);
  EXPECT_TRUE(made.ok);
  EXPECT_EQ(made.body, "[+]a ok\n[+]b ok\nreadyz check passed\n");
}

TEST(Health, WhatFailsSaysWhatItWaitsFor) {
  const std::vector<check> checks{
      {"a", true, ""}, {"informer/Service", false, "the first list"}, {"c", false, ""}};
  EXPECT_FALSE(judge("readyz", checks, false).ok);
  EXPECT_EQ(judge("readyz", checks, false).body,
            "[-]informer/Service: waits for the first list\n[-]c: waits for itself\nreadyz check failed\n");
  EXPECT_EQ(judge("readyz", checks, true).body.find("[+]a ok\n"), 0U);
}

}  // namespace
}  // namespace egress::metrics
