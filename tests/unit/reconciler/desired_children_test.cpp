#include "actors/reconciler/desired_children.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actors/reconciler/target.hpp"
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
  const auto last = remember(external_service, key_of(*external_service, before, false),
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

TEST_F(DesiredChildren, HijackOnReadyPodsOfTheirOwn) {
  spec.hijack_dns = true;
  const auto external_service = an_external_service(spec);
  const auto pods = child(deployment);
  body(pods).ready_replicas = 2;
  const auto label = [&] {
    live_children live;
    live[kube::child_index(deployment)] = pods;
    return key_of(*external_service, live, false).hijack;
  };
  EXPECT_EQ(label(), "true");
  body(pods).ours_cannot_be = true;
  EXPECT_NE(label(), "true") << "another's of that name: no pod of it is behind the Service";
  body(pods).ours_cannot_be = false;
  set_controller(body(pods), "an-earlier-uid");
  EXPECT_NE(label(), "true") << "our predecessor's, which is being collected";
}

// An ExternalService whose children are as they were made, and its next version.
class EditedChildren : public ::testing::Test {
 protected:
  EditedChildren() {
    spec.dns_name = "a.com";
    spec.hijack_dns = true;
    spec.ports = {{443, "TCP"}, {53, "UDP"}};
    made = desired_of(*an_external_service(spec), {}, false, {}, {});
    last = remember(an_external_service(spec), key_of(*an_external_service(spec), {}, false), made);
    for (std::size_t i = 0; i < kube::child_count; ++i) {
      if (!made.children[i]) continue;
      auto one = child(kube::child_kinds[i]);
      body(one).projected = made.children[i]->projected;
      live[i] = one;
    }
  }

  desired_gateway next(const kube::external_service_spec& edited) const {
    return desired_of(*an_external_service(edited), live, false, {}, {});
  }
  desired_children before(const desired_gateway& wanted) const {
    return made_before(last, live, wanted.children, {}, {});
  }
  // As a cluster has it: with what the server, controllers and people add to what is not ours.
  static json::object stored(kube::kind of, const json::object& rendered) {
    json::object out = rendered;
    if (of == deployment) {
      auto& spec = out["spec"].as_object();
      spec["replicas"] = 7;
      spec["template"].as_object()["metadata"].as_object()["annotations"].as_object()["restartedAt"] = "now";
      auto& limits =
          spec["template"].at("spec").at("containers").at(0).at("resources").at("limits").as_object();
      limits["memory"] = "1024Mi";
    }
    if (of == service) {
      auto& spec = out["spec"].as_object();
      spec["clusterIP"] = "10.0.0.1";
      spec["clusterIPs"] = json::array{"10.0.0.1"};
      spec["ipFamilies"] = json::array{"IPv4"};
    }
    auto& metadata = out["metadata"].as_object();
    metadata["ownerReferences"].as_array().push_back(json::object{{"kind", "Somebody"}, {"uid", "other"}});
    metadata["resourceVersion"] = "7";
    metadata["uid"] = "child-uid";
    metadata["managedFields"] = json::array{json::object{{"manager", "somebody"}}};
    metadata["annotations"].as_object()["somebody.example/note"] = "theirs";
    metadata["labels"].as_object()["team"] = "theirs";
    out["status"] = json::object{{"observedGeneration", 3}};
    return out;
  }

  kube::external_service_spec spec;
  desired_gateway made;
  std::optional<remembered_rendering> last;
  live_children live;
};

TEST_F(EditedChildren, AreRenderedAsTheyWereMade) {
  spec.max_replicas = 30;
  const auto wanted = next(spec);
  const auto were = before(wanted);
  for (const auto kind : kube::child_kinds) {
    const auto i = kube::child_index(kind);
    ASSERT_EQ(were[i].has_value(), kind == horizontal_pod_autoscaler) << kube::info(kind).name;
    if (were[i]) EXPECT_EQ(*were[i]->object, *made.children[i]->object);
  }
}

TEST_F(EditedChildren, AreUnknownWhereTheyAreNotAsTheyWereMade) {
  const auto scaler = kube::child_index(horizontal_pod_autoscaler);
  spec.max_replicas = 30;
  const auto wanted = next(spec);
  EXPECT_FALSE(made_before(std::nullopt, live, wanted.children, {}, {})[scaler]) << "a new process";
  auto drifted = std::make_shared<kube::object>(*live[scaler]);
  body(drifted).projected = digest(9);
  live[scaler] = drifted;
  EXPECT_FALSE(before(wanted)[scaler]) << "somebody edited it";
  live[scaler] = nullptr;
  EXPECT_FALSE(before(wanted)[scaler]) << "it is gone";
}

TEST_F(EditedChildren, ArePatchedAsIfTheyHadBeenRead) {
  std::vector<kube::external_service_spec> edits(8, spec);
  edits[0].max_replicas = 30;
  edits[1].dns_name = "b.com";
  edits[2].ports = {{443, "TCP"}};
  edits[3].ports.push_back({8443, "TCP"});
  edits[4].hijack_dns = false;
  edits[5].ip_override = {"192.0.2.1"};
  edits[6].min_replicas = 5;
  edits[7].resources = kube::resource_requirements{{{"cpu", "1"}}, {{"cpu", "3"}}, false};
  std::size_t patches = 0;
  for (const auto& edit : edits) {
    const auto wanted = next(edit);
    const auto were = before(wanted);
    for (const auto kind : kube::child_kinds) {
      const auto i = kube::child_index(kind);
      if (!were[i]) continue;
      const auto& to = *wanted.children[i]->object;
      const auto read = stored(kind, *were[i]->object);
      auto expected = merge_patch(read, target(kind, to, read));
      EXPECT_EQ(expected.at("metadata").as_object().at("resourceVersion"), "7");
      expected["metadata"].as_object().erase("resourceVersion");
      if (expected["metadata"].as_object().empty()) expected.erase("metadata");
      EXPECT_EQ(merge_patch(*were[i]->object, target(kind, to, *were[i]->object)), expected)
          << kube::info(kind).name << " of edit " << &edit - edits.data();
      ++patches;
    }
  }
  EXPECT_GE(patches, 12u);
}

}  // namespace
}  // namespace egress::reconciler
