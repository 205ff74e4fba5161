#include "actors/metrics/exposition.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <limits>

#include "actors/metrics/buckets.hpp"

namespace egress::metrics {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using ::testing::ElementsAre;

TEST(Exposition, FloatsAreWrittenAsGoWritesThem) {
  const std::pair<double, const char*> table[] = {{0, "0"},
                                                  {-0.0, "-0"},
                                                  {1, "1"},
                                                  {0.005, "0.005"},
                                                  {1.25, "1.25"},
                                                  {60, "60"},
                                                  {1e-8, "1e-08"},
                                                  {1e-4, "0.0001"},
                                                  {0.00025, "0.00025"},
                                                  {9.5e-5, "9.5e-05"},
                                                  {1e6, "1e+06"},
                                                  {123456, "123456"},
                                                  {1234567, "1.234567e+06"},
                                                  {1e20, "1e+20"},
                                                  {1e21, "1e+21"},
                                                  {999999.5, "999999.5"},
                                                  {5e-324, "5e-324"},
                                                  {std::numeric_limits<double>::infinity(), "+Inf"},
                                                  {-std::numeric_limits<double>::infinity(), "-Inf"},
                                                  {std::numeric_limits<double>::quiet_NaN(), "NaN"}};
  for (const auto& [value, text] : table) EXPECT_EQ(format_value(value), text);
}

TEST(Exposition, WhatIsWrittenReadsBackExactly) {
  for (double value = 1.1e-12; value < 1e25; value *= 7.3)
    EXPECT_EQ(std::strtod(format_value(value).c_str(), nullptr), value);
}

TEST(Exposition, WorkqueueBucketsHaveGosDigits) {
  std::vector<std::string> texts;
  for (const double bound : workqueue_buckets()) texts.push_back(format_value(bound));
  EXPECT_THAT(texts, ElementsAre("1e-08", "1e-07", "1e-06", "9.999999999999999e-06", "9.999999999999999e-05",
                                 "0.001", "0.01", "0.1", "1", "10", "100", "1000"));
}

TEST(Exposition, LabelsAndHelpAreEscaped) {
  ClientMetric metric;
  metric.label = {{"a", "x\"y\\z\nend"}, {"b", ""}};
  metric.counter.value = 3;
  EXPECT_EQ(to_text({MetricFamily{"n_total", "back\\slash \"quoted\"\nline", MetricType::Counter, {metric}}}),
            "# HELP n_total back\\\\slash \"quoted\"\\nline\n"
            "# TYPE n_total counter\n"
            "n_total{a=\"x\\\"y\\\\z\\nend\",b=\"\"} 3\n");
}

TEST(Exposition, AHistogramHasBucketsSumAndCount) {
  ClientMetric metric;
  metric.label = {{"v", "1"}};
  metric.histogram = {3, 1.5, {{1, 0.005}, {2, 1}}};
  EXPECT_EQ(
      to_text({MetricFamily{"h", "help", MetricType::Histogram, {metric}}}),
      "# HELP h help\n# TYPE h histogram\n"
      "h_bucket{v=\"1\",le=\"0.005\"} 1\nh_bucket{v=\"1\",le=\"1\"} 2\nh_bucket{v=\"1\",le=\"+Inf\"} 3\n"
      "h_sum{v=\"1\"} 1.5\nh_count{v=\"1\"} 3\n");
  metric.histogram.bucket.push_back({3, std::numeric_limits<double>::infinity()});
  const auto text = to_text({MetricFamily{"h", "help", MetricType::Histogram, {metric}}});
  EXPECT_EQ(text.find("+Inf"), text.rfind("+Inf"));
}

TEST(Exposition, TheOtherTypesToo) {
  ClientMetric metric;
  metric.gauge.value = 2.5;
  metric.untyped.value = 7;
  metric.summary = {2, 3, {{0.5, 1}}};
  EXPECT_EQ(to_text({MetricFamily{"g", "x", MetricType::Gauge, {metric}},
                     MetricFamily{"u", "x", MetricType::Untyped, {metric}},
                     MetricFamily{"s", "x", MetricType::Summary, {metric}},
                     MetricFamily{"none", "x", MetricType::Gauge, {}}}),
            "# HELP g x\n# TYPE g gauge\ng 2.5\n# HELP u x\n# TYPE u untyped\nu 7\n"
            "# HELP s x\n# TYPE s summary\ns{quantile=\"0.5\"} 1\ns_sum 3\ns_count 2\n");
}

}  // namespace
}  // namespace egress::metrics
