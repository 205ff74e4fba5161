// The cluster's controllers: garbage, Deployments that become ready, the autoscaler's bounds.

#include "tests/unit/devserver/api_client.hpp"

namespace egress::dev::test {
namespace {

const auto exsvc = std::string{external_services_path};
const auto maps = std::string{config_maps_path};

std::string owned(const std::string& name, const std::vector<std::string>& uids) {
  std::string all;
  for (const auto& uid : uids)
    all += (all.empty() ? "" : ",") +
           std::string{R"({"apiVersion":"egress.monzo.com/v1","kind":"ExternalService",)"} +
           R"("name":"e","uid":")" + uid + R"(","controller":false,"blockOwnerDeletion":true})";
  return R"({"metadata":{"name":")" + name + R"(","ownerReferences":[)" + all + "]}}";
}

struct garbage : ::testing::Test {
  garbage() { uid = uid_of(api.post(exsvc, external_service("e", "{}")).body); }
  bool exists(const std::string& path) { return api.get(path).status == 200; }
  api_client api;
  std::string uid;
};

TEST_F(garbage, goes_with_its_owner) {
  api.post(maps, owned("a", {uid}));
  const auto child = uid_of(api.get(maps + "/a").body);
  api.post(maps, owned("grandchild", {child}));
  api.post(maps, config_map("free"));
  api.remove(exsvc + "/e");
  EXPECT_TRUE(exists(maps + "/a"));
  api.pass(milliseconds{0});
  EXPECT_FALSE(exists(maps + "/a"));
  EXPECT_FALSE(exists(maps + "/grandchild"));
  EXPECT_TRUE(exists(maps + "/free"));
}

TEST_F(garbage, is_what_names_an_owner_that_is_not_there) {
  api.post(maps, owned("a", {"another-uid"}));
  api.pass(milliseconds{0});
  EXPECT_FALSE(exists(maps + "/a"));
}

TEST_F(garbage, stays_while_one_owner_lives) {
  api.post(exsvc, external_service("f", "{}"));
  api.post(maps, owned("a", {uid, uid_of(api.get(exsvc + "/f").body)}));
  api.remove(exsvc + "/e");
  api.pass(milliseconds{0});
  EXPECT_EQ(array_at(api.get(maps + "/a").body, {"metadata", "ownerReferences"})->size(), 1U);
  api.remove(exsvc + "/f");
  api.pass(milliseconds{0});
  EXPECT_FALSE(exists(maps + "/a"));
}

TEST_F(garbage, is_orphaned_on_request) {
  api.post(maps, owned("a", {uid}));
  EXPECT_EQ(api.remove(exsvc + "/e", R"({"propagationPolicy":"Orphan"})").status, 200);
  api.pass(milliseconds{0});
  const auto left = api.get(maps + "/a");
  EXPECT_EQ(left.status, 200);
  EXPECT_EQ(array_at(left.body, {"metadata", "ownerReferences"}), nullptr);
}

TEST_F(garbage, goes_first_in_the_foreground) {
  api.post(maps, owned("a", {uid}));
  api.merge(maps + "/a", R"({"metadata":{"finalizers":["x/y"]}})");
  const auto deleting = api.remove(exsvc + "/e", R"({"propagationPolicy":"Foreground"})");
  EXPECT_TRUE(being_deleted(deleting.body));
  api.pass(milliseconds{0});
  EXPECT_TRUE(being_deleted(api.get(maps + "/a").body));
  EXPECT_TRUE(exists(exsvc + "/e"));
  api.merge(maps + "/a", R"({"metadata":{"finalizers":null}})");
  api.pass(milliseconds{0});
  EXPECT_FALSE(exists(maps + "/a"));
  EXPECT_FALSE(exists(exsvc + "/e"));
}

TEST_F(garbage, waits_while_the_controllers_are_paused) {
  api.on->controllers().paused = true;
  api.post(maps, owned("a", {uid}));
  api.remove(exsvc + "/e");
  api.pass(seconds{10});
  EXPECT_TRUE(exists(maps + "/a"));
  api.on->controllers().paused = false;
  api.pass(milliseconds{0});
  EXPECT_FALSE(exists(maps + "/a"));
}

TEST(finalizers, hold_an_object_until_they_are_gone) {
  api_client api;
  api.post(maps, R"({"metadata":{"name":"a","finalizers":["x/y"]}})");
  const auto first = api.remove(maps + "/a");
  EXPECT_EQ(text_at(first.body, {"kind"}), "ConfigMap");
  const auto when = std::string{text_at(first.body, {"metadata", "deletionTimestamp"})};
  EXPECT_FALSE(when.empty());
  api.now += seconds{5};
  EXPECT_EQ(text_at(api.remove(maps + "/a").body, {"metadata", "deletionTimestamp"}), when);
  api.merge(maps + "/a", R"({"metadata":{"finalizers":[]}})");
  EXPECT_EQ(api.get(maps + "/a").status, 404);
}

TEST(deletion, checks_its_preconditions) {
  api_client api;
  const auto made = api.post(maps, config_map("a"));
  EXPECT_EQ(api.remove(maps + "/a", R"({"preconditions":{"uid":"other"}})").status, 409);
  EXPECT_EQ(api.remove(maps + "/a", R"({"preconditions":{"resourceVersion":"1"}})").status, 409);
  const auto gone = api.remove(maps + "/a", R"({"preconditions":{"uid":")" + uid_of(made.body) + R"("}})");
  EXPECT_EQ(gone.status, 200);
  EXPECT_EQ(text_at(gone.body, {"status"}), "Success");
  EXPECT_EQ(text_at(gone.body, {"details", "uid"}), uid_of(made.body));
}

TEST(namespaces, take_their_objects_along) {
  api_client api;
  EXPECT_EQ(api.post("/api/v1/namespaces", R"({"metadata":{"name":"n"}})").status, 201);
  api.post("/api/v1/namespaces/n/configmaps", config_map("a"));
  EXPECT_EQ(api.remove("/api/v1/namespaces/n").status, 200);
  EXPECT_EQ(api.get("/api/v1/namespaces/n/configmaps/a").status, 404);
  EXPECT_EQ(api.remove("/api/v1/namespaces/default").status, 403);
}

struct deployments : ::testing::Test {
  std::int64_t status(const char* field, const std::string& name = "d") {
    return number_at(api.get(under(deployments_path, name)).body, {"status", field});
  }
  api_client api;
};

TEST_F(deployments, become_ready_after_a_delay) {
  api.post(deployments_path, deployment("d", 3));
  api.pass(milliseconds{299});
  EXPECT_EQ(status("observedGeneration"), 1);
  EXPECT_EQ(status("replicas"), 3);
  EXPECT_EQ(status("readyReplicas"), 0);
  EXPECT_EQ(status("unavailableReplicas"), 3);
  api.pass(milliseconds{1});
  EXPECT_EQ(status("readyReplicas"), 3);
  EXPECT_EQ(status("availableReplicas"), 3);
  const auto live = api.get(under(deployments_path, "d")).body;
  EXPECT_EQ(text_at(live, {"metadata", "annotations", "deployment.kubernetes.io/revision"}), "1");
  EXPECT_EQ(text_at(array_at(live, {"status", "conditions"})->front().as_object(), {"status"}), "True");
}

TEST_F(deployments, say_when_they_want_to_be_looked_at) {
  api.post(deployments_path, deployment("d"));
  EXPECT_EQ(api.on->run_controllers(api.now), api.now + milliseconds{300});
  EXPECT_EQ(api.on->run_controllers(api.now + milliseconds{300}), std::nullopt);
}

TEST_F(deployments, keep_pods_ready_during_a_rollout) {
  api.post(deployments_path, deployment("d", 3));
  api.pass(seconds{1});
  api.put(under(deployments_path, "d"), deployment("d", 3, "i:2"));
  api.pass(milliseconds{1});
  EXPECT_EQ(status("observedGeneration"), 2);
  EXPECT_EQ(status("readyReplicas"), 3);
  EXPECT_EQ(status("updatedReplicas"), 0);
  api.pass(seconds{1});
  EXPECT_EQ(status("updatedReplicas"), 3);
  EXPECT_EQ(text_at(api.get(under(deployments_path, "d")).body,
                    {"metadata", "annotations", "deployment.kubernetes.io/revision"}),
            "2");
}

TEST_F(deployments, do_not_write_when_nothing_happens) {
  api.post(deployments_path, deployment("d", 3));
  api.pass(seconds{1});
  const auto before = api.on->objects().version();
  for (int i = 0; i < 5; ++i) api.pass(seconds{1});
  EXPECT_EQ(api.on->objects().version(), before);
}

TEST_F(deployments, may_be_kept_from_becoming_ready) {
  auto& stand_in = api.on->controllers().deployments;
  const object_key key{"egress-operator-system", "d"};
  stand_in.limit_ready(key, 0);
  api.post(deployments_path, deployment("d", 3));
  api.pass(seconds{5});
  EXPECT_EQ(status("readyReplicas"), 0);
  stand_in.limit_ready(key, std::nullopt);
  api.pass(milliseconds{0});
  EXPECT_EQ(status("readyReplicas"), 3);
  stand_in.limit_ready(key, 1);
  api.pass(milliseconds{0});
  EXPECT_EQ(status("readyReplicas"), 1);
}

TEST_F(deployments, of_an_old_name_are_new_ones) {
  api.post(deployments_path, deployment("d", 3));
  api.pass(seconds{1});
  api.remove(under(deployments_path, "d"));
  api.post(deployments_path, deployment("d", 2));
  api.pass(milliseconds{1});
  EXPECT_EQ(status("readyReplicas"), 0);
  api.pass(seconds{1});
  EXPECT_EQ(status("readyReplicas"), 2);
}

struct autoscalers : deployments {
  void make(int least, int most, const std::string& name = "d") {
    const auto made = api.post(
        autoscalers_path,
        R"({"metadata":{"name":")" + name + R"("},"spec":{"minReplicas":)" + std::to_string(least) +
            R"(,"maxReplicas":)" + std::to_string(most) +
            R"(,"targetCPUUtilizationPercentage":50,"scaleTargetRef":{"apiVersion":"apps/v1","kind":"Deployment","name":"d"}}})");
    ASSERT_EQ(made.status, 201) << made.message();
  }
  std::int64_t replicas() {
    return number_at(api.get(under(deployments_path, "d")).body, {"spec", "replicas"});
  }
};

TEST_F(autoscalers, keep_replicas_between_their_bounds) {
  api.post(deployments_path, deployment("d", 1));
  make(3, 5);
  api.pass(milliseconds{0});
  EXPECT_EQ(replicas(), 3);
  api.merge(under(deployments_path, "d/scale"), R"({"spec":{"replicas":9}})");
  api.pass(milliseconds{0});
  EXPECT_EQ(replicas(), 5);
  api.merge(under(deployments_path, "d/scale"), R"({"spec":{"replicas":4}})");
  api.pass(milliseconds{0});
  EXPECT_EQ(replicas(), 4);
}

TEST_F(autoscalers, are_off_at_zero) {
  api.post(deployments_path, deployment("d", 0));
  make(3, 5);
  api.pass(milliseconds{0});
  EXPECT_EQ(replicas(), 0);
}

TEST_F(autoscalers, of_another_name_work_too) {
  make(3, 5, "other");
  api.post(deployments_path, deployment("d", 1));
  api.pass(milliseconds{0});
  EXPECT_EQ(replicas(), 3);
}

TEST_F(autoscalers, follow_their_target) {
  api.post(deployments_path, deployment("d", 3));
  make(3, 5);
  api.pass(milliseconds{0});
  api.merge(under(autoscalers_path, "d"), R"({"spec":{"scaleTargetRef":{"name":"elsewhere"}}})");
  api.merge(under(deployments_path, "d/scale"), R"({"spec":{"replicas":9}})");
  api.pass(milliseconds{0});
  EXPECT_EQ(replicas(), 9);
  api.merge(under(autoscalers_path, "d"), R"({"spec":{"scaleTargetRef":{"name":"d"}}})");
  api.pass(milliseconds{0});
  EXPECT_EQ(replicas(), 5);
  // Each look at an autoscaler writes its status, for which it is looked at again: until that has come to
  // rest.
  for (int i = 0; i < 4; ++i) api.pass(milliseconds{0});
  api.merge(under(deployments_path, "d/scale"), R"({"spec":{"replicas":8}})");
  api.pass(milliseconds{0});
  EXPECT_EQ(replicas(), 5) << "for the Deployment's sake alone";
  api.remove(under(autoscalers_path, "d"));
  api.merge(under(deployments_path, "d/scale"), R"({"spec":{"replicas":7}})");
  api.pass(milliseconds{0});
  EXPECT_EQ(replicas(), 7);
}

TEST_F(autoscalers, tell_the_replicas) {
  api.post(deployments_path, deployment("d", 3));
  make(3, 5);
  api.pass(seconds{1});
  api.pass(seconds{1});
  EXPECT_EQ(number_at(api.get(under(autoscalers_path, "d")).body, {"status", "currentReplicas"}), 3);
}

TEST_F(autoscalers, can_be_read_as_v2) {
  make(3, 5);
  const auto v2 =
      api.get("/apis/autoscaling/v2/namespaces/egress-operator-system/horizontalpodautoscalers/d");
  ASSERT_EQ(v2.status, 200);
  EXPECT_EQ(text_at(v2.body, {"apiVersion"}), "autoscaling/v2");
  const auto& metric = array_at(v2.body, {"spec", "metrics"})->front().as_object();
  EXPECT_EQ(number_at(metric, {"resource", "target", "averageUtilization"}), 50);
  EXPECT_EQ(api.post("/apis/autoscaling/v2/namespaces/egress-operator-system/horizontalpodautoscalers", "{}")
                .status,
            405);
}

TEST_F(autoscalers, need_sensible_bounds) {
  const auto spec = [](const char* bounds) {
    return std::string{R"({"metadata":{"name":"x"},"spec":)"} + bounds + "}";
  };
  EXPECT_EQ(api.post(autoscalers_path, spec(R"({"minReplicas":3,"maxReplicas":2})")).status, 422);
  EXPECT_EQ(api.post(autoscalers_path, spec(R"({"maxReplicas":0})")).status, 422);
}

struct slices : ::testing::Test {
  const json::object* slice() {
    api.pass(milliseconds{0});
    found = api.get(
                   "/apis/discovery.k8s.io/v1/namespaces/egress-operator-system/endpointslices"
                   "?labelSelector=kubernetes.io%2Fservice-name%3Dd")
                .body;
    const auto* const items = array_at(found, {"items"});
    return items->empty() ? nullptr : items->front().if_object();
  }
  bool ready() {
    const auto* const one = slice();
    return one != nullptr &&
           flag_at(array_at(*one, {"endpoints"})->front().as_object(), {"conditions", "ready"});
  }
  api_client api;
  json::object found;
};

TEST_F(slices, are_ready_with_the_deployment_of_their_services_name) {
  api.post(services_path, service("d"));
  EXPECT_EQ(slice(), nullptr);
  api.post(deployments_path, deployment("d", 2));
  ASSERT_NE(slice(), nullptr);
  EXPECT_FALSE(ready());
  api.pass(seconds{1});
  EXPECT_TRUE(ready());
  const std::string address{text_at(api.get(under(services_path, "d")).body, {"spec", "clusterIP"})};
  const auto* const one = slice();
  const auto& endpoint = array_at(*one, {"endpoints"})->front().as_object();
  EXPECT_EQ(std::string_view(array_at(endpoint, {"addresses"})->front().as_string()), address);
}

TEST_F(slices, go_with_their_service_and_come_back_with_another) {
  api.post(services_path, service("d"));
  api.post(deployments_path, deployment("d", 2));
  api.pass(seconds{1});
  ASSERT_TRUE(ready());
  api.remove(under(services_path, "d"));
  EXPECT_EQ(slice(), nullptr);
  api.post(services_path, service("d"));
  EXPECT_TRUE(ready());
}

}  // namespace
}  // namespace egress::dev::test
