#include "actors/reconciler/desired_children.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/reconciler/fixtures.hpp"

namespace egress::reconciler {
namespace {

using namespace testing;
using enum kube::kind;
using ::testing::HasSubstr;
using ::testing::Not;

class DesiredChildren : public ::testing::Test {
 protected:
  DesiredChildren() {
    spec.dns_name = "a.com";
    spec.ports = {{443, "TCP"}};
  }

  // As the cluster has it when its Service has these addresses.
  live_children live_with(std::vector<std::string> cluster_ips) const {
    const auto front = child(service);
    body(front).cluster_ips = std::move(cluster_ips);
    live_children live;
    live[kube::child_index(service)] = front;
    return live;
  }
  std::string envoy_yaml(bool ipv6) const {
    const auto desired = desired_of(*an_external_service(spec), {}, ipv6, {}, {});
    const auto& map = *desired.children[kube::child_index(config_map)]->object;
    return std::string(map.at("data").at("envoy.yaml").as_string());
  }

  kube::external_service_spec spec;
};

TEST_F(DesiredChildren, ListenOnIPv6WhereTheServiceHasAnAddressOfIt) {
  EXPECT_THAT(envoy_yaml(false), Not(HasSubstr("ipv4Compat: true")));
  EXPECT_THAT(envoy_yaml(true), HasSubstr("ipv4Compat: true"));
  for (const bool elsewhere : {false, true}) {
    EXPECT_FALSE(listens_on_ipv6(live_with({"10.0.0.1"}), elsewhere));
    EXPECT_TRUE(listens_on_ipv6(live_with({"10.0.0.1", "fd00::4"}), elsewhere));
    EXPECT_TRUE(listens_on_ipv6(live_with({"fd00::4"}), elsewhere));
  }
}

TEST_F(DesiredChildren, ListenOnWhatOtherServicesHaveWhileTheirOwnIsMade) {
  for (const auto& made : {live_children{}, live_with({})}) {
    EXPECT_FALSE(listens_on_ipv6(made, false));
    EXPECT_TRUE(listens_on_ipv6(made, true));
  }
}

TEST_F(DesiredChildren, AreRenderedAgainWhenTheServiceGetsAnIPv6Address) {
  const auto external_service = an_external_service(spec);
  const auto before = live_with({"10.0.0.1"});
  const auto last = remember(key_of(*external_service, before, false),
                             desired_of(*external_service, before, false, {}, {}));
  auto live = before;
  for (std::size_t i = 0; i < kube::child_count; ++i) {
    if (!last.projected[i]) continue;
    auto made = live[i] ? std::make_shared<kube::object>(*live[i]) : child(kube::child_kinds[i]);
    body(made).projected = *last.projected[i];
    live[i] = made;
  }
  EXPECT_TRUE(nothing_to_do(*external_service, last, live, listens_on_ipv6(live, false), {}));
  auto front = std::make_shared<kube::object>(*live[kube::child_index(service)]);
  body(front).cluster_ips = {"10.0.0.1", "fd00::4"};
  live[kube::child_index(service)] = front;
  EXPECT_FALSE(nothing_to_do(*external_service, last, live, listens_on_ipv6(live, false), {}));
}

}  // namespace
}  // namespace egress::reconciler
