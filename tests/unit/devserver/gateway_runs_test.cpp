// When gateways' processes are started, ended and started again, and what their Deployments say meanwhile.

#include "runtime/devserver/crash_backoff.hpp"
#include "tests/unit/devserver/gateway_objects.hpp"

namespace egress::dev::test {
namespace {

const object_key key{"egress-operator-system", "d"};

struct gateways : ::testing::Test {
  gateways() : api({.run_gateways = std::vector<name_server>{}}), runs(*api.on->controllers().gateways) {}

  // What is ordered by now: "start 1", "stop 1", "complain".
  std::vector<std::string> orders() {
    api.pass(milliseconds{0});
    std::vector<std::string> texts;
    for (auto& one : runs.take_orders()) {
      using enum gateway_order::kind;
      const auto* const what = one.what == start ? "start " : one.what == stop ? "stop " : "deliver ";
      texts.push_back(one.what == complain ? "complain" : what + std::to_string(one.number));
      last = std::move(one);
    }
    return texts;
  }
  std::optional<milliseconds> ended(std::uint64_t number) { return runs.ended(key, number, api.now); }
  std::int64_t ready() {
    api.pass(milliseconds{0});
    return number_at(api.get(under(deployments_path, "d")).body, {"status", "readyReplicas"});
  }
  // A gateway that runs as number 1 and is ready.
  void run() {
    post_gateway(api, "d");
    ASSERT_EQ(orders(), some({"start 1"}));
    runs.probed(key, 1, true);
    ASSERT_EQ(ready(), 3);
  }
  static std::vector<std::string> some(std::vector<std::string> texts) { return texts; }

  api_client api;
  gateway_runs& runs;
  gateway_order last;
};

TEST_F(gateways, run_once_all_is_there) {
  api.post(deployments_path, gateway_deployment("d"));
  api.post(config_maps_path, gateway_map("d", small_yaml));
  EXPECT_EQ(orders(), some({}));
  api.post(services_path, service("d"));
  EXPECT_EQ(orders(), some({"start 1"}));
  EXPECT_EQ(last.address, text_at(api.get(under(services_path, "d")).body, {"spec", "clusterIP"}));
  EXPECT_NE(last.files.at("envoy.yaml").find("typedDnsResolverConfig"), std::string::npos);
  EXPECT_EQ(last.ready_port, 11000);
  EXPECT_EQ(orders(), some({}));
}

TEST_F(gateways, are_ready_when_the_process_says_so) {
  post_gateway(api, "d");
  EXPECT_EQ(orders(), some({"start 1"}));
  api.pass(seconds{10});
  EXPECT_EQ(ready(), 0);
  const auto not_yet = runs.probed(key, 1, false);
  EXPECT_FALSE(not_yet.news);
  EXPECT_EQ(not_yet.next_in, milliseconds{100});
  const auto yes = runs.probed(key, 1, true);
  EXPECT_TRUE(yes.news);
  EXPECT_EQ(yes.next_in, seconds{1});
  EXPECT_EQ(ready(), 3);
  EXPECT_FALSE(runs.probed(key, 1, true).news);
}

TEST_F(gateways, without_a_probe_are_ready_at_once) {
  post_gateway(api, "d", 2, {.probe = false});
  EXPECT_EQ(orders(), some({"start 1"}));
  api.pass(seconds{1});
  EXPECT_EQ(ready(), 2);
}

TEST_F(gateways, are_unready_after_three_failures_in_a_row) {
  run();
  runs.probed(key, 1, false);
  runs.probed(key, 1, false);
  runs.probed(key, 1, true);
  runs.probed(key, 1, false);
  runs.probed(key, 1, false);
  EXPECT_EQ(ready(), 3);
  EXPECT_TRUE(runs.probed(key, 1, false).news);
  EXPECT_EQ(ready(), 0);
}

TEST_F(gateways, end_with_their_deployment) {
  run();
  api.remove(under(deployments_path, "d"));
  EXPECT_EQ(orders(), some({"stop 1"}));
  EXPECT_EQ(ended(1), std::nullopt);
  EXPECT_EQ(orders(), some({}));
}

TEST_F(gateways, of_a_name_that_comes_back_wait_for_the_old_process) {
  run();
  api.remove(under(deployments_path, "d"));
  EXPECT_EQ(orders(), some({"stop 1"}));
  api.post(deployments_path, gateway_deployment("d"));
  EXPECT_EQ(orders(), some({}));
  ended(1);
  EXPECT_EQ(orders(), some({"start 2"}));
  api.pass(seconds{1});
  EXPECT_EQ(ready(), 0);
}

TEST_F(gateways, scale_to_zero_and_back) {
  run();
  api.merge(under(deployments_path, "d/scale"), R"({"spec":{"replicas":0}})");
  EXPECT_EQ(orders(), some({"stop 1"}));
  EXPECT_EQ(ready(), 0);
  ended(1);
  EXPECT_EQ(orders(), some({}));
  api.merge(under(deployments_path, "d/scale"), R"({"spec":{"replicas":2}})");
  EXPECT_EQ(orders(), some({"start 2"}));
  api.pass(seconds{1});
  EXPECT_EQ(ready(), 0);
  runs.probed(key, 2, true);
  EXPECT_EQ(ready(), 2);
}

TEST_F(gateways, with_more_replicas_go_on) {
  run();
  api.merge(under(deployments_path, "d/scale"), R"({"spec":{"replicas":7}})");
  EXPECT_EQ(orders(), some({}));
  api.pass(seconds{1});
  EXPECT_EQ(ready(), 7);
}

TEST_F(gateways, restart_for_other_pods_and_are_not_ready_meanwhile) {
  run();
  api.put(under(deployments_path, "d"), gateway_deployment("d", 3, {.image = "envoy:2"}));
  EXPECT_EQ(orders(), some({"stop 1"}));
  EXPECT_EQ(ready(), 0);
  EXPECT_FALSE(runs.probed(key, 1, true).news) << "it still answers while it ends";
  EXPECT_EQ(ended(1), std::nullopt);
  EXPECT_EQ(orders(), some({"start 2"}));
  EXPECT_FALSE(runs.probed(key, 1, true).news) << "a late word of the old one";
  EXPECT_EQ(ready(), 0);
}

TEST_F(gateways, go_on_while_the_new_configuration_is_not_there) {
  run();
  api.put(under(deployments_path, "d"), gateway_deployment("d", 3, {.hash = hash_of_a}));
  EXPECT_EQ(orders(), some({}));
  api.put(under(config_maps_path, "d"), gateway_map("d", "a"));
  EXPECT_EQ(orders(), some({"stop 1"}));
}

TEST_F(gateways, do_not_restart_for_a_configuration_that_no_pod_names) {
  run();
  api.put(under(config_maps_path, "d"), gateway_map("d", "staticResources: {listeners: [], clusters: []}"));
  EXPECT_EQ(orders(), some({}));
}

TEST_F(gateways, that_follow_their_files_are_given_new_ones_and_stay) {
  post_gateway(api, "d");
  api.put(under(config_maps_path, "d"), following_map("d", "resources: []"));
  EXPECT_EQ(orders(), some({"start 1"}));
  EXPECT_EQ(last.files.size(), 3u);
  runs.probed(key, 1, true);
  ASSERT_EQ(ready(), 3);
  api.merge(under(config_maps_path, "d"), R"({"metadata":{"labels":{"a":"b"}}})");
  EXPECT_EQ(orders(), some({}));
  api.put(under(config_maps_path, "d"), following_map("d", "resources: [{name: new}]"));
  EXPECT_EQ(orders(), some({"deliver 1"}));
  EXPECT_NE(last.files.at("lds.yaml").find("new"), std::string::npos);
  EXPECT_EQ(ready(), 3);
  api.put(under(config_maps_path, "d"), following_map("d", "nonsense"));
  EXPECT_EQ(orders(), some({"complain"}));
  EXPECT_EQ(ready(), 3);
  api.put(under(config_maps_path, "d"), following_map("d", "resources: []"));
  EXPECT_EQ(orders(), some({"deliver 1"}));
  ended(1);
  EXPECT_EQ(orders(), some({"start 2"}));
}

TEST_F(gateways, that_crash_are_left_alone_longer_and_longer) {
  run();
  EXPECT_EQ(ended(1), milliseconds{0});
  EXPECT_EQ(ready(), 0);
  EXPECT_EQ(orders(), some({"start 2"}));
  EXPECT_EQ(ended(2), seconds{1});
  EXPECT_EQ(orders(), some({}));
  EXPECT_EQ(api.on->run_controllers(api.now), api.now + seconds{1});
  api.pass(milliseconds{999});
  EXPECT_EQ(orders(), some({}));
  api.pass(milliseconds{1});
  EXPECT_EQ(orders(), some({"start 3"}));
  EXPECT_EQ(ended(3), seconds{2});
}

TEST_F(gateways, that_crashed_start_at_once_with_other_pods) {
  run();
  ended(1);
  EXPECT_EQ(orders(), some({"start 2"}));
  ended(2);
  api.put(under(deployments_path, "d"), gateway_deployment("d", 3, {.image = "envoy:2"}));
  EXPECT_EQ(orders(), some({"start 3"}));
  EXPECT_EQ(ended(3), milliseconds{0});
}

TEST_F(gateways, that_crashed_and_are_gone_are_forgotten) {
  run();
  ended(1);
  EXPECT_EQ(orders(), some({"start 2"}));
  ended(2);
  api.remove(under(deployments_path, "d"));
  EXPECT_EQ(orders(), some({}));
  EXPECT_EQ(api.on->run_controllers(api.now), std::nullopt);
  api.pass(seconds{5});
  EXPECT_EQ(orders(), some({}));
}

TEST_F(gateways, with_a_configuration_that_makes_no_sense_are_complained_of_once) {
  post_gateway(api, "d");
  api.put(under(config_maps_path, "d"), gateway_map("d", "nonsense"));
  EXPECT_EQ(orders(), some({"complain"}));
  EXPECT_NE(last.why.find("envoy.yaml"), std::string::npos);
  api.merge(under(services_path, "d"), R"({"metadata":{"labels":{"a":"b"}}})");
  EXPECT_EQ(orders(), some({}));
  api.put(under(config_maps_path, "d"), gateway_map("d", small_yaml));
  EXPECT_EQ(orders(), some({"start 1"}));
}

TEST_F(gateways, leave_other_deployments_to_be_played) {
  api.post(deployments_path, deployment("d", 2));
  api.pass(seconds{1});
  EXPECT_EQ(orders(), some({}));
  EXPECT_EQ(ready(), 2);
}

TEST_F(gateways, know_only_the_latest_process) {
  run();
  EXPECT_EQ(ended(7), std::nullopt);
  EXPECT_EQ(orders(), some({}));
  EXPECT_EQ(ready(), 3);
}

TEST(crash_backoff, grows_to_half_a_minute_and_is_forgotten) {
  crash_backoff backoff;
  const milliseconds soon{100};
  for (const auto expected : {0, 1, 2, 4, 8, 16, 30, 30, 30})
    EXPECT_EQ(backoff.next(soon), seconds{expected});
  EXPECT_EQ(backoff.next(seconds{10}), seconds{0});
  EXPECT_EQ(backoff.next(soon), seconds{1});
}

}  // namespace
}  // namespace egress::dev::test
