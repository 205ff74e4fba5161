#include "actors/metrics/http_answer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace egress::metrics {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

pages with(bool ready) {
  return {[] { return std::string("m 1\n"); },
          [ready] { return health_state{{{"supervisor", true, ""}}, {{"dns", ready, "the first table"}}}; },
          [] {
            return status{.version = "v1",
                          .leader = "every replica",
                          .informers = {},
                          .actors = {},
                          .external_services = {}};
          }};
}

TEST(HttpAnswer, MetricsHaveTheContentTypeOfTheFormat) {
  const auto made = answer("GET", "/metrics", with(true));
  EXPECT_EQ(made.status, 200U);
  EXPECT_EQ(made.content_type, "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_EQ(made.body, "m 1\n");
}

TEST(HttpAnswer, ReadinessIs503WithWhatItWaitsFor) {
  for (const auto* path : {"/readyz", "/ready"}) {
    EXPECT_EQ(answer("GET", path, with(true)).status, 200U);
    const auto made = answer("GET", path, with(false));
    EXPECT_EQ(made.status, 503U);
    EXPECT_THAT(made.body, HasSubstr("dns: waits for the first table"));
  }
}

TEST(HttpAnswer, LivenessDoesNotLookAtReadiness) {
  for (const auto* path : {"/healthz", "/health"}) EXPECT_EQ(answer("GET", path, with(false)).body, "ok\n");
  for (const auto* query : {"?verbose", "?verbose=1", "?x&verbose"})
    EXPECT_EQ(answer("GET", std::string("/healthz") + query, with(false)).body,
              "[+]supervisor ok\nhealthz check passed\n");
  EXPECT_EQ(answer("GET", "/healthz?verbosely", with(false)).body, "ok\n");
}

TEST(HttpAnswer, TheStatusPageIsHtmlOrText) {
  const auto html = answer("GET", "/statusz", with(true));
  EXPECT_EQ(html.content_type, "text/html; charset=utf-8");
  EXPECT_THAT(html.body, StartsWith("<!DOCTYPE html>"));
  const auto text = answer("GET", "/statusz?format=text", with(true));
  EXPECT_EQ(text.content_type, "text/plain; charset=utf-8");
  EXPECT_THAT(text.body, HasSubstr("version  v1"));
}

TEST(HttpAnswer, OtherPathsAndMethodsAreRefused) {
  for (const auto* path : {"/", "", "/metric", "/metrics/", "metrics", "/metrics /healthz", "/debug/pprof"}) {
    const auto made = answer("GET", path, with(true));
    EXPECT_EQ(made.status, 404U) << path;
    EXPECT_THAT(made.body, HasSubstr("/metrics /healthz /readyz"));
  }
  EXPECT_EQ(answer("HEAD", "/metrics", with(true)).status, 200U);
  const auto made = answer("POST", "/metrics", with(true));
  EXPECT_EQ(made.status, 405U);
  EXPECT_EQ(made.allow, "GET, HEAD");
}

}  // namespace
}  // namespace egress::metrics
