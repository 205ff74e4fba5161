#include "actors/reconciler/target.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/reconciler/fixtures.hpp"

namespace egress::reconciler {
namespace {

using enum kube::kind;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::tree;

constexpr auto deployment_rendered = R"({
  "apiVersion":"apps/v1","kind":"Deployment",
  "metadata":{"name":"web","namespace":"ns","creationTimestamp":null,"labels":{"app":"egress-gateway"},"annotations":{"egress.monzo.com/dns-name":"a.com"},
    "ownerReferences":[{"apiVersion":"egress.monzo.com/v1","kind":"ExternalService","name":"web","uid":"es-uid","controller":true,"blockOwnerDeletion":true}]},
  "spec":{"replicas":3,"selector":{"matchLabels":{"g":"web"}},
    "template":{"metadata":{"labels":{"g":"web"},"annotations":{"egress.monzo.com/config-hash":"1"}},
      "spec":{"containers":[{"name":"gateway","resources":{"limits":{"cpu":"1000m","memory":"1024Mi"}}}],"securityContext":{}}}}})";
constexpr auto deployment_live = R"({
  "apiVersion":"apps/v1","kind":"Deployment",
  "metadata":{"name":"web","namespace":"ns","uid":"u","resourceVersion":"9","generation":2,"labels":{"app":"egress-gateway","team":"x"},
    "annotations":{"egress.monzo.com/dns-name":"a.com","deployment.kubernetes.io/revision":"1"},
    "ownerReferences":[{"apiVersion":"egress.monzo.com/v1","kind":"ExternalService","name":"web","uid":"es-uid","controller":true,"blockOwnerDeletion":true}]},
  "spec":{"replicas":5,"selector":{"matchLabels":{"g":"web"}},
    "template":{"metadata":{"creationTimestamp":null,"labels":{"g":"web"},"annotations":{"egress.monzo.com/config-hash":"1","kubectl.kubernetes.io/restartedAt":"now"}},
      "spec":{"containers":[{"name":"gateway","resources":{"limits":{"cpu":"1","memory":"1Gi"}}}]}}},
  "status":{"readyReplicas":5}})";

json::object patch(kube::kind of, std::string_view rendered, const json::object& live) {
  return merge_patch(live, target(of, tree(rendered), live));
}

TEST(Target, NothingIsWrittenWhenNothingDiffers) {
  const auto live = tree(deployment_live);
  const auto wanted = target(deployment, tree(deployment_rendered), live);
  EXPECT_THAT(merge_patch(live, wanted), IsEmpty());
  EXPECT_THAT(differing_paths(live, wanted), IsEmpty());
}

struct edit {
  const char* name;
  const char* what;   // pointer
  const char* value;  // JSON; "" removes
  const char* patch;
};

class DeploymentEdits : public ::testing::TestWithParam<edit> {};

TEST_P(DeploymentEdits, ArePutRight) {
  json::value live = tree(deployment_live);
  const std::string pointer = GetParam().what;
  const auto cut = pointer.rfind('/');
  auto& holder = live.at_pointer(pointer.substr(0, cut)).as_object();
  auto member = pointer.substr(cut + 1);
  if (const auto slash = member.find("~1"); slash != std::string::npos) member.replace(slash, 2, "/");
  if (*GetParam().value)
    holder[member] = *json::parse(GetParam().value);
  else
    holder.erase(member);
  EXPECT_EQ(patch(deployment, deployment_rendered, live.as_object()), tree(GetParam().patch));
}

INSTANTIATE_TEST_SUITE_P(
    Table, DeploymentEdits,
    ::testing::Values(
        edit{"host_network", "/spec/template/spec/hostNetwork", "true",
             R"({"spec":{"template":{"spec":{"hostNetwork":null}}},"metadata":{"resourceVersion":"9"}})"},
        edit{
            "sidecar", "/spec/template/spec/containers", R"([{"name":"gateway"},{"name":"x"}])",
            R"({"spec":{"template":{"spec":{"containers":[{"name":"gateway","resources":{"limits":{"cpu":"1000m","memory":"1024Mi"}}}]}}},"metadata":{"resourceVersion":"9"}})"},
        edit{"our_label_gone", "/metadata/labels/app", "",
             R"({"metadata":{"labels":{"app":"egress-gateway"},"resourceVersion":"9"}})"},
        edit{"all_annotations_gone", "/metadata/annotations", "",
             R"({"metadata":{"annotations":{"egress.monzo.com/dns-name":"a.com"},"resourceVersion":"9"}})"},
        edit{"our_annotation_changed", "/metadata/annotations/egress.monzo.com~1dns-name", R"("b.com")",
             R"({"metadata":{"annotations":{"egress.monzo.com/dns-name":"a.com"},"resourceVersion":"9"}})"},
        edit{
            "pod_label_added", "/spec/template/metadata/labels/x", R"("y")",
            R"({"spec":{"template":{"metadata":{"labels":{"x":null}}}},"metadata":{"resourceVersion":"9"}})"},
        edit{"replicas_are_not_ours", "/spec/replicas", "0", "{}"},
        edit{"foreign_annotation_stays", "/metadata/annotations/x", R"("y")", "{}"},
        edit{
            "owner_gone", "/metadata/ownerReferences", "",
            R"({"metadata":{"ownerReferences":[{"apiVersion":"egress.monzo.com/v1","kind":"ExternalService","name":"web","uid":"es-uid","controller":true,"blockOwnerDeletion":true}],"resourceVersion":"9"}})"}),
    [](const auto& info) { return info.param.name; });

TEST(Target, KeepsTheOwnersOfOthersAndPutsOursRight) {
  auto live = tree(deployment_live);
  live["metadata"].as_object()["ownerReferences"] = *json::parse(
      R"([{"kind":"Team","uid":"t"},{"apiVersion":"egress.monzo.com/v1","kind":"ExternalService","name":"web","uid":"es-uid"}])");
  const auto wanted = target(deployment, tree(deployment_rendered), live);
  const auto& owners = wanted.at("metadata").at("ownerReferences").as_array();
  ASSERT_EQ(owners.size(), 2u);
  EXPECT_EQ(owners[0].at("uid").as_string(), "t");
  EXPECT_TRUE(owners[1].at("controller").as_bool());
}

constexpr auto service_rendered =
    R"({"apiVersion":"v1","kind":"Service","metadata":{"labels":{"app":"egress-gateway"}},"spec":{"type":"ClusterIP","ports":[{"port":443}]}})";

TEST(Target, AServiceKeepsItsAddresses) {
  const auto live = tree(
      R"({"apiVersion":"v1","kind":"Service","metadata":{"labels":{"app":"egress-gateway"}},"spec":{"type":"ClusterIP","ports":[{"port":443}],"clusterIP":"10.0.0.1","clusterIPs":["10.0.0.1"],"ipFamilies":["IPv4"],"ipFamilyPolicy":"SingleStack","externalTrafficPolicy":"Local"}})");
  EXPECT_EQ(patch(service, service_rendered, live), tree(R"({"spec":{"externalTrafficPolicy":null}})"));
}

TEST(Target, TheRenderedFamilyPolicyWins) {
  const auto live = tree(R"({"metadata":{},"spec":{"type":"ClusterIP","ipFamilyPolicy":"SingleStack"}})");
  const auto wanted =
      target(service,
             tree(R"({"metadata":{},"spec":{"type":"ClusterIP","ipFamilyPolicy":"PreferDualStack"}})"), live);
  EXPECT_EQ(wanted.at("spec").at("ipFamilyPolicy").as_string(), "PreferDualStack");
}

TEST(Target, ASpecInDisguiseIsRemovedFromTheAutoscaler) {
  const auto live = tree(
      R"({"metadata":{"resourceVersion":"2","annotations":{"autoscaling.alpha.kubernetes.io/behavior":"{}","autoscaling.alpha.kubernetes.io/metrics":"[]","x":"y"}},"spec":{"minReplicas":3}})");
  EXPECT_EQ(
      patch(horizontal_pod_autoscaler, R"({"metadata":{},"spec":{"minReplicas":3}})", live),
      tree(
          R"({"metadata":{"annotations":{"autoscaling.alpha.kubernetes.io/behavior":null,"autoscaling.alpha.kubernetes.io/metrics":null},"resourceVersion":"2"}})"));
}

TEST(Target, AConfigMapIsItsData) {
  const auto live = tree(
      R"({"metadata":{"resourceVersion":"2"},"data":{"envoy.yaml":"old","more":""},"binaryData":{"b":"AA=="}})");
  EXPECT_EQ(
      patch(config_map, R"({"metadata":{},"data":{"envoy.yaml":"new"}})", live),
      tree(
          R"({"data":{"envoy.yaml":"new","more":null},"binaryData":null,"metadata":{"resourceVersion":"2"}})"));
}

TEST(Target, AChildWithoutSpecGetsOne) {
  EXPECT_EQ(
      patch(service, service_rendered, tree(R"({"metadata":{"labels":{"app":"egress-gateway"}}})")),
      tree(R"({"apiVersion":"v1","kind":"Service","spec":{"type":"ClusterIP","ports":[{"port":443}]}})"));
}

// With configDelivery Reload, pods have nothing of the specification.
TEST(Target, PodsLoseTheNameThatTheyHadBefore) {
  const auto live =
      tree(R"({"metadata":{"resourceVersion":"2"},"spec":{"template":{"metadata":{"annotations":{
      "egress.monzo.com/dns-name":"a.com","service.kubernetes.io/topology-mode":"Auto","their":"own"}}}}})");
  const auto with = [](const char* more) {
    return R"({"metadata":{},"spec":{"template":{"metadata":{"annotations":{"egress.monzo.com/config-hash":"1")" +
           std::string(more) + "}}}}}";
  };
  const auto annotations = [&](const char* more) {
    return patch(deployment, with(more), live).at("spec").at("template").at("metadata").at("annotations");
  };
  EXPECT_EQ(annotations("").as_object(),
            tree(R"({"egress.monzo.com/config-hash":"1","egress.monzo.com/dns-name":null,
                     "service.kubernetes.io/topology-mode":null})"));
  EXPECT_EQ(annotations(R"(,"egress.monzo.com/dns-name":"a.com")").as_object(),
            tree(R"({"egress.monzo.com/config-hash":"1"})"));
}

TEST(Target, AnEmptySelectorOfAPeerIsNotNone) {
  const auto wanted = tree(
      R"({"spec":{"ingress":[{"from":[{"namespaceSelector":{},"podSelector":{"matchLabels":{"a":"b"}}}]}]}})");
  const auto live = tree(R"({"spec":{"ingress":[{"from":[{"podSelector":{"matchLabels":{"a":"b"}}}]}]}})");
  EXPECT_THAT(differing_paths(live, wanted), ElementsAre("/spec/ingress/0/from/0/namespaceSelector"));
  EXPECT_FALSE(merge_patch(live, wanted).empty());
}

TEST(DifferingPaths, GoIntoListsOfEqualLengthAndEscape) {
  const auto live = tree(R"({"spec":{"list":[{"a":1},{"a":2,"new/default~x":true}],"other":[1]}})");
  const auto wanted = tree(R"({"spec":{"list":[{"a":1},{"a":3}],"other":[1,2],"added":{"x":1}}})");
  EXPECT_THAT(differing_paths(live, wanted),
              ElementsAre("/spec/added", "/spec/list/1/a", "/spec/list/1/new~1default~0x", "/spec/other"));
}

}  // namespace
}  // namespace egress::reconciler
