#include "actors/reconciler/sameness.hpp"

#include <gtest/gtest.h>

#include "runtime/kube/json_text.hpp"

namespace egress::reconciler {
namespace {

bool same_both_ways(std::string_view a, std::string_view b, kube::place at = {}) {
  const auto left = json::parse(a).value(), right = json::parse(b).value();
  EXPECT_EQ(same(left, right, at), same(right, left, at)) << a << b;
  return same(left, right, at);
}

TEST(sameness, is_of_what_both_have_and_what_one_has) {
  EXPECT_TRUE(same_both_ways(R"({"a":1,"b":{"c":"x"}})", R"({"b":{"c":"x"},"a":1})"));
  EXPECT_TRUE(same_both_ways(R"({"a":1})", R"({"a":1,"b":null,"c":{},"d":[],"e":"","f":{"g":{}}})"));
  EXPECT_FALSE(same_both_ways(R"({"a":1})", R"({"a":1,"b":0})"));
  EXPECT_FALSE(same_both_ways(R"({"a":1})", R"({"a":1,"b":false})"));
  EXPECT_FALSE(same_both_ways(R"({"a":{"b":1}})", R"({"a":{"b":2}})"));
  EXPECT_FALSE(same_both_ways(R"([{"a":1},{}])", R"([{"a":1}])"));
}

TEST(sameness, tells_an_empty_selector_from_none) {
  EXPECT_FALSE(same_both_ways(R"({"podSelector":{}})", "{}"));
  EXPECT_TRUE(same_both_ways(R"({"podSelector":{}})", R"({"podSelector":{}})"));
  EXPECT_FALSE(same_both_ways(R"({"a":""})", "{}", {"labels", "metadata"}));
}

TEST(sameness, is_of_quantities_by_their_value) {
  EXPECT_TRUE(same_both_ways(R"({"limits":{"cpu":"1000m"}})", R"({"limits":{"cpu":1}})"));
  EXPECT_FALSE(same_both_ways(R"({"limits":{"cpu":"1000m"}})", R"({"limits":{"cpu":2}})"));
}

// Twice the work at each level would be 2^90 comparisons.
TEST(sameness, of_what_is_deep_is_found_in_one_pass) {
  constexpr int levels = 90;
  std::string deep = "1", other = "2";
  for (int i = 0; i < levels; ++i) {
    deep = R"({"a":)" + deep + "}";
    other = R"({"a":)" + other + "}";
  }
  EXPECT_TRUE(same_both_ways(deep, deep));
  EXPECT_FALSE(same_both_ways(deep, other));
}

}  // namespace
}  // namespace egress::reconciler
