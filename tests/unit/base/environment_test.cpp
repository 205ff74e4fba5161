#include "runtime/base/environment.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>

namespace egress {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// apply_environment takes a plain function, as std::getenv is: the variables of the test are beside it.
std::map<std::string, std::string> variables;
const char* lookup(const char* name) {
  const auto found = variables.find(name);
  return found == variables.end() ? nullptr : found->second.c_str();
}

result<gateway_settings> settings_of(std::map<std::string, std::string> given) {
  variables = std::move(given);
  gateway_settings settings;
  if (auto applied = apply_environment(lookup, settings); !applied) return std::unexpected(applied.error());
  return settings;
}

std::string refusal(std::map<std::string, std::string> given) {
  const auto settings = settings_of(std::move(given));
  return settings ? "accepted" : settings.error().message;
}

TEST(Environment, NothingSetLeavesTheDefaults) {
  const auto settings = settings_of({});
  ASSERT_TRUE(settings);
  EXPECT_EQ(settings->image, "");
  EXPECT_FALSE(settings->service_topology_mode);
  EXPECT_FALSE(settings->toleration);
  EXPECT_FALSE(settings->node_selector);
  EXPECT_TRUE(settings->topology_spreads.empty());
}

TEST(Environment, EmptyVariablesAreLikeUnsetOnes) {
  const auto settings = settings_of({{"ENVOY_IMAGE", ""},
                                     {"ENABLE_SERVICE_TOPOLOGY_MODE", ""},
                                     {"TAINT_TOLERATION_KEY", ""},
                                     {"TAINT_TOLERATION_VALUE", ""},
                                     {"ENABLE_POD_TOPOLOGY_SPREAD", "true"},
                                     {"POD_TOPOLOGY_ZONE_MAX_SKEW", ""}});
  ASSERT_TRUE(settings);
  EXPECT_EQ(settings->image, "");
  EXPECT_FALSE(settings->toleration);
  EXPECT_TRUE(settings->topology_spreads.empty());
}

TEST(Environment, ImageAndTopologyMode) {
  const auto settings =
      settings_of({{"ENVOY_IMAGE", "r/envoy:v1"}, {"ENABLE_SERVICE_TOPOLOGY_MODE", "true"}});
  ASSERT_TRUE(settings);
  EXPECT_EQ(settings->image, "r/envoy:v1");
  EXPECT_TRUE(settings->service_topology_mode);
  EXPECT_EQ(refusal({{"ENVOY_IMAGE", "a b"}}), "ENVOY_IMAGE=a b: an image's name has no blanks");
  EXPECT_EQ(refusal({{"ENABLE_SERVICE_TOPOLOGY_MODE", "yes"}}),
            "ENABLE_SERVICE_TOPOLOGY_MODE=yes: must be true or false");
}

TEST(Environment, TolerationAndNodeSelectorArePairs) {
  const auto settings = settings_of({{"TAINT_TOLERATION_KEY", "egress"},
                                     {"TAINT_TOLERATION_VALUE", ""},
                                     {"NODE_SELECTOR_KEY", "pool"},
                                     {"NODE_SELECTOR_VALUE", "edge"}});
  ASSERT_TRUE(settings);
  EXPECT_EQ(settings->toleration, (key_value{"egress", ""}));  // a taint may have no value
  EXPECT_EQ(settings->node_selector, (key_value{"pool", "edge"}));
  EXPECT_EQ(refusal({{"TAINT_TOLERATION_KEY", "egress"}}),
            "TAINT_TOLERATION_KEY=egress is set, but TAINT_TOLERATION_VALUE is not: set both or neither");
  EXPECT_EQ(refusal({{"NODE_SELECTOR_VALUE", "edge"}}),
            "NODE_SELECTOR_VALUE=edge is set, but NODE_SELECTOR_KEY is not: set both or neither");
}

TEST(Environment, SpreadsNeedTheSwitchAndASkew) {
  const auto settings = settings_of({{"ENABLE_POD_TOPOLOGY_SPREAD", "true"},
                                     {"POD_TOPOLOGY_ZONE_MAX_SKEW", "2"},
                                     {"POD_TOPOLOGY_HOSTNAME_MAX_SKEW", "3"},
                                     {"POD_TOPOLOGY_HOSTNAME_MAX_SKEW_KEY", "rack"},
                                     {"POD_TOPOLOGY_HOSTNAME_WHEN_UNSATISFIABLE", "DoNotSchedule"}});
  ASSERT_TRUE(settings);
  EXPECT_THAT(settings->topology_spreads,
              ElementsAre(topology_spread{2, "topology.kubernetes.io/zone", "ScheduleAnyway"},
                          topology_spread{3, "rack", "DoNotSchedule"}));
  const auto off = settings_of({{"POD_TOPOLOGY_ZONE_MAX_SKEW", "2"}});
  ASSERT_TRUE(off);
  EXPECT_TRUE(off->topology_spreads.empty());
}

TEST(Environment, ASkewThatDoesNotParseIsRefusedByName) {
  for (const auto* bad : {"x", "0", "-1", "1.5", "2 ", "2147483648"})
    EXPECT_EQ(
        refusal({{"ENABLE_POD_TOPOLOGY_SPREAD", "true"}, {"POD_TOPOLOGY_HOSTNAME_MAX_SKEW", bad}}),
        fmt::format("POD_TOPOLOGY_HOSTNAME_MAX_SKEW={}: must be a whole number from 1 to 2147483647", bad));
  EXPECT_THAT(
      refusal({{"POD_TOPOLOGY_ZONE_MAX_SKEW", "1"}, {"POD_TOPOLOGY_ZONE_WHEN_UNSATISFIABLE", "Never"}}),
      HasSubstr("POD_TOPOLOGY_ZONE_WHEN_UNSATISFIABLE=Never: must be ScheduleAnyway or DoNotSchedule"));
  EXPECT_EQ(refusal({{"ENABLE_POD_TOPOLOGY_SPREAD", "on"}}),
            "ENABLE_POD_TOPOLOGY_SPREAD=on: must be true or false");
}

TEST(Environment, TheHelpNamesEveryVariableThatIsRead) {
  std::string all;
  for (const auto& one : environment_help()) all += std::string(one.name) + "\n";
  for (const auto* name : {"ENVOY_IMAGE", "ENABLE_SERVICE_TOPOLOGY_MODE", "TAINT_TOLERATION_VALUE",
                           "NODE_SELECTOR_KEY", "ENABLE_POD_TOPOLOGY_SPREAD",
                           "POD_TOPOLOGY_ZONE_MAX_SKEW_KEY", "POD_TOPOLOGY_ZONE_WHEN_UNSATISFIABLE",
                           "POD_TOPOLOGY_HOSTNAME_MAX_SKEW", "POD_TOPOLOGY_HOSTNAME_WHEN_UNSATISFIABLE"})
    EXPECT_THAT(all, HasSubstr(name));
}

}  // namespace
}  // namespace egress
