#include "runtime/kube/projection.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <set>
#include <utility>

#include "tests/unit/kube/support.hpp"

namespace egress::kube {
namespace {

using test::as_served;
using test::golden;
using test::parsed;

json::object child_of(std::string_view name, kind of) {
  return golden(name).at(info(of).name).as_object();
}

json::object& spec_of(json::object& object) {
  return object.at("spec").as_object();
}
json::object& pods_of(json::object& deployment) {
  return spec_of(deployment).at("template").as_object();
}

// What the server adds of its own to what upstream renders, beside constant defaults.
json::object served(kind of, json::object object) {
  object = as_served(std::move(object));
  if (of == kind::service) {
    spec_of(object)["clusterIP"] = "10.1.2.3";
    spec_of(object)["clusterIPs"] = json::array{"10.1.2.3"};
    spec_of(object)["ipFamilies"] = json::array{"IPv4"};
    spec_of(object)["ipFamilyPolicy"] = "SingleStack";
  }
  if (of == kind::deployment) {
    spec_of(object)["replicas"] = 3;
    pods_of(object).at("metadata").at("annotations").as_object()["kubectl.kubernetes.io/restartedAt"] = "now";
    object.at("metadata").at("annotations").as_object()["deployment.kubernetes.io/revision"] = "7";
  }
  if (of == kind::horizontal_pod_autoscaler)
    object.at("metadata").at("annotations").as_object()["autoscaling.alpha.kubernetes.io/conditions"] = "[]";
  return object;
}

constexpr projection_rules compatible{.ip_family_policy = false, .topology_mode = false};

digest digest_in(kind of, const json::object& object, const projection_rules& rules = compatible) {
  return projected_digest(of, object, rules);
}

TEST(projection, rendered_and_served_children_are_the_same) {
  for (const auto name : test::golden_names)
    for (const auto of : child_kinds) {
      const auto rendered = child_of(name, of);
      EXPECT_EQ(digest_in(of, rendered), digest_in(of, served(of, rendered))) << name << " " << info(of).name;
    }
}

// Every scalar of the golden specs and data, changed, must be seen: but for what is copied from live.
void for_each_scalar(json::value& in, const std::function<void(json::value&)>& visit) {
  if (auto* members = in.if_object()) {
    for (auto& member : *members) for_each_scalar(member.value(), visit);
  } else if (auto* items = in.if_array()) {
    for (auto& item : *items) for_each_scalar(item, visit);
  } else if (!in.is_null()) {
    visit(in);
  }
}

TEST(projection, every_edit_of_a_spec_is_seen) {
  for (const auto of : child_kinds) {
    json::value object = child_of("udp-and-tcp", of);
    const auto before = digest_in(of, object.as_object());
    int edits = 0;
    const auto edit = [&](json::value& scalar) {
      auto kept = std::exchange(scalar, "edited");
      EXPECT_NE(digest_in(of, object.as_object()), before) << info(of).name << " " << json::to_text(kept);
      scalar = std::move(kept);
      ++edits;
    };
    for_each_scalar(object.at(of == kind::config_map ? "data" : "spec"), edit);
    for_each_scalar(object.at("metadata").at("labels"), edit);
    for_each_scalar(object.at("metadata").at("annotations"), edit);
    EXPECT_GT(edits, 3);
    EXPECT_EQ(digest_in(of, object.as_object()), before);
  }
}

TEST(projection, what_belongs_to_others_does_not_count) {
  auto service = child_of("minimal", kind::service);
  const auto before = digest_in(kind::service, service);
  auto& metadata = service.at("metadata").as_object();
  metadata.at("labels").as_object()["team"] = "payments";
  metadata.at("annotations").as_object()["note"] = "x";
  metadata.at("annotations").as_object()["service.kubernetes.io/topology-mode"] = "Auto";
  metadata["finalizers"] = json::array{"x/y"};
  metadata.at("ownerReferences").as_array().push_back(parsed(R"({"kind":"Other","name":"o","uid":"2"})"));
  EXPECT_EQ(digest_in(kind::service, service), before);
  EXPECT_NE(digest_in(kind::service, service, {.ip_family_policy = false, .topology_mode = true}), before);
}

TEST(projection, the_controller_counts) {
  auto service = child_of("minimal", kind::service);
  const auto before = digest_in(kind::service, service);
  auto orphan = service;
  orphan.at("metadata").as_object().erase("ownerReferences");
  EXPECT_NE(digest_in(kind::service, orphan), before);
  service.at("metadata").at("ownerReferences").as_array()[0].as_object()["blockOwnerDeletion"] = false;
  EXPECT_NE(digest_in(kind::service, service), before);
}

TEST(projection, ip_family_policy_counts_only_where_it_is_rendered) {
  auto service = child_of("minimal", kind::service);
  spec_of(service)["ipFamilyPolicy"] = "PreferDualStack";
  auto single = service;
  spec_of(single)["ipFamilyPolicy"] = "SingleStack";
  EXPECT_EQ(digest_in(kind::service, service), digest_in(kind::service, single));
  EXPECT_NE(digest_in(kind::service, service, {}), digest_in(kind::service, single, {}));
}

TEST(projection, a_foreign_pod_label_is_drift_and_a_foreign_pod_annotation_is_not) {
  auto deployment = child_of("minimal", kind::deployment);
  const auto before = digest_in(kind::deployment, deployment);
  auto& metadata = pods_of(deployment).at("metadata").as_object();
  metadata.at("annotations").as_object()["sidecar.example.com/inject"] = "true";
  EXPECT_EQ(digest_in(kind::deployment, deployment), before);
  metadata.at("labels").as_object()["x"] = "";
  EXPECT_NE(digest_in(kind::deployment, deployment), before);
}

TEST(projection, autoscaling_v2_in_annotations_is_drift) {
  for (const std::string_view name : {"behavior", "metrics"}) {
    auto hpa = child_of("minimal", kind::horizontal_pod_autoscaler);
    const auto before = digest_in(kind::horizontal_pod_autoscaler, hpa);
    hpa.at("metadata").at("annotations").as_object()["autoscaling.alpha.kubernetes.io/" + std::string(name)] =
        "{}";
    EXPECT_NE(digest_in(kind::horizontal_pod_autoscaler, hpa), before);
  }
}

TEST(projection, an_empty_selector_is_not_the_same_as_none) {
  auto policy = child_of("minimal", kind::network_policy);
  const auto before = digest_in(kind::network_policy, policy);
  auto& peer = spec_of(policy).at("ingress").as_array()[0].at("from").as_array()[0].as_object();
  peer.erase("namespaceSelector");
  EXPECT_NE(digest_in(kind::network_policy, policy), before);
}

TEST(projection, a_rule_that_allows_all_is_seen) {
  auto policy = child_of("minimal", kind::network_policy);
  const auto before = digest_in(kind::network_policy, policy);
  spec_of(policy).at("ingress").as_array().push_back(json::object{});
  EXPECT_NE(digest_in(kind::network_policy, policy), before);
}

TEST(projection, empty_values_and_other_spellings_of_quantities_do_not_count) {
  auto deployment = child_of("minimal", kind::deployment);
  const auto before = digest_in(kind::deployment, deployment);
  auto& pod = pods_of(deployment).at("spec").as_object();
  pod["nodeSelector"] = json::object{};
  pod["tolerations"] = json::array{};
  pod["hostname"] = "";
  pod["affinity"] = nullptr;
  auto& resources = pod.at("containers").as_array()[0].at("resources").as_object();
  resources["requests"] = parsed(R"({"cpu":"0.1","memory":"51200Ki"})");
  resources["limits"] = parsed(R"({"cpu":2,"memory":"1024Mi"})");
  EXPECT_EQ(digest_in(kind::deployment, deployment), before);
  pod["nodeSelector"] = parsed(R"({"gpu":""})");
  EXPECT_NE(digest_in(kind::deployment, deployment), before);
}

TEST(projection, an_empty_file_of_a_config_map_counts) {
  auto map = child_of("minimal", kind::config_map);
  const auto before = digest_in(kind::config_map, map);
  map.at("data").as_object()["divisor"] = "";
  EXPECT_NE(digest_in(kind::config_map, map), before);
  map.at("data").as_object().erase("divisor");
  map["binaryData"] = parsed(R"({"x":"aGk="})");
  EXPECT_NE(digest_in(kind::config_map, map), before);
}

// Of a spec with this value in a list, where nothing is left out.
digest digest_with(std::string_view value) {
  const auto text = R"({"spec":{"a":[)" + std::string(value) + R"(],"z":1}})";
  return digest_in(kind::horizontal_pod_autoscaler, parsed(text).as_object());
}

TEST(projection, tells_all_values_apart) {
  std::set<digest> made;
  for (const auto* value : {"",
                            "null",
                            "true",
                            "false",
                            "0",
                            "-1",
                            "18446744073709551615",
                            "0.5",
                            "1.0",
                            "1",
                            R"("1")",
                            R"("")",
                            R"("n")",
                            "[]",
                            "[[]]",
                            "[[],[]]",
                            "{}",
                            R"(["b"])",
                            R"({"b":"c"})",
                            R"(["b","c"])",
                            R"(["c","b"])",
                            R"(["bc"])",
                            R"({"b":"c","d":"e"})",
                            R"({"b":{"c":1},"d":2})",
                            R"({"b":{"c":1,"d":2}})",
                            R"({"bb":"c"})",
                            R"({"b":"bc"})"})
    EXPECT_TRUE(made.insert(digest_with(value)).second) << value;
}

TEST(projection, does_not_depend_on_the_order_of_members_or_how_a_whole_number_is_held) {
  EXPECT_EQ(digest_with(R"({"b":{"d":1,"c":[2,{"y":1,"x":2}]},"a":"\n"})"),
            digest_with(R"({"a":"\n","b":{"c":[2,{"x":2,"y":1}],"d":1}})"));
  const auto holding = [](json::value number) {
    return digest_in(kind::horizontal_pod_autoscaler, {{"spec", json::object{{"a", std::move(number)}}}});
  };
  EXPECT_EQ(holding(std::int64_t{7}), holding(std::uint64_t{7}));
}

TEST(projection, survives_objects_of_any_shape) {
  for (const std::string_view text :
       {"{}", R"({"metadata":[],"spec":3,"data":"x"})",
        R"({"metadata":{"labels":1,"ownerReferences":[1,{"controller":"yes"}]},)"
        R"("spec":{"template":[],"resources":{"limits":{"cpu":{}}}}})"})
    for (const auto of : child_kinds)
      EXPECT_NO_THROW(projected_digest(of, parsed(text).as_object(), {})) << text;
}

}  // namespace
}  // namespace egress::kube
