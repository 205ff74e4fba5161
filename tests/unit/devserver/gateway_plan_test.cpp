// What a gateway's process is given: its configuration, its arguments, and whether there is to be one.

#include "runtime/devserver/gateway_plan.hpp"

#include <gmock/gmock.h>

#include "runtime/devserver/ended_how.hpp"
#include "runtime/devserver/gateway_config.hpp"
#include "tests/unit/devserver/gateway_objects.hpp"

namespace egress::dev::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr const char* yaml = R"(
admin:
  address:
    pipe: {path: '@egress-admin-api'}
staticResources:
  clusters:
  - name: admin
    loadAssignment:
      endpoints:
      - lbEndpoints:
        - endpoint: {address: {pipe: {path: '@egress-admin-api'}}}
  - name: api
    loadAssignment:
      endpoints:
      - lbEndpoints:
        - endpoint: {address: {socketAddress: {address: api.example.com, portValue: 443}}}
  listeners:
  - name: api
    address: {socketAddress: {address: '::', portValue: 443, ipv4Compat: true}}
  - name: udp
    address: {socketAddress: {address: 0.0.0.0, portValue: 53, protocol: UDP}}
    accessLog: [{path: {pipe: {path: /tmp/somewhere}}}]
)";

json::object substituted(const std::vector<name_server>& resolvers = {{"10.0.0.53"}, {"fd00::53", 5353}}) {
  const auto made = config_on_this_machine(yaml, "127.96.0.7", resolvers);
  if (!made) throw std::runtime_error(made.error().message);
  return object_from(*made);
}

const json::object& item(const json::object& in, path to, std::size_t index) {
  return array_at(in, to)->at(index).as_object();
}

TEST(gateway_config, binds_listeners_to_the_services_address) {
  const auto made = substituted();
  const auto& first = item(made, {"staticResources", "listeners"}, 0);
  EXPECT_EQ(json::to_text(*find(first, {"address", "socketAddress"})),
            R"({"address":"127.96.0.7","portValue":443})");
  const auto& second = item(made, {"staticResources", "listeners"}, 1);
  EXPECT_EQ(json::to_text(*find(second, {"address", "socketAddress"})),
            R"({"address":"127.96.0.7","portValue":53,"protocol":"UDP"})");
  for (const auto* const one : {&first, &second})
    EXPECT_EQ(json::to_text(*find(*one, {"enableReusePort"})), "false");
}

TEST(gateway_config, gives_abstract_sockets_names_of_their_own) {
  const auto made = substituted();
  EXPECT_EQ(text_at(made, {"admin", "address", "pipe", "path"}), "@egress-admin-api-127.96.0.7");
  const auto clusters = json::to_text(*find(made, {"staticResources", "clusters"}));
  EXPECT_THAT(clusters, HasSubstr(R"("path":"@egress-admin-api-127.96.0.7")"));
  EXPECT_THAT(json::to_text(made), HasSubstr(R"("path":"/tmp/somewhere")"));
}

TEST(gateway_config, binds_an_administration_over_tcp_too) {
  const auto made = object_from(
      config_on_this_machine("admin: {address: {socketAddress: {address: 0.0.0.0, portValue: 11000}}}\n"
                             "staticResources: {listeners: []}",
                             "127.96.0.7", {})
          .value());
  EXPECT_EQ(text_at(made, {"admin", "address", "socketAddress", "address"}), "127.96.0.7");
}

TEST(gateway_config, leaves_upstreams_alone) {
  EXPECT_THAT(json::to_text(*find(substituted(), {"staticResources", "clusters"})),
              HasSubstr(R"({"address":"api.example.com","portValue":443})"));
}

TEST(gateway_config, resolves_by_the_given_servers) {
  EXPECT_EQ(json::to_text(*find(substituted(), {"typedDnsResolverConfig", "typedConfig", "resolvers"})),
            R"([{"socketAddress":{"address":"10.0.0.53","portValue":53}},)"
            R"({"socketAddress":{"address":"fd00::53","portValue":5353}}])");
}

// Envoy's own choice would be whoever listens on 127.0.0.1:53.
TEST(gateway_config, asks_nobody_rather_than_the_operator) {
  EXPECT_EQ(json::to_text(*find(substituted({}), {"typedDnsResolverConfig", "typedConfig", "resolvers"})),
            R"([{"socketAddress":{"address":"127.0.0.1","portValue":9}}])");
}

TEST(gateway_config, says_what_is_wrong_with_it) {
  const auto complaint = [](const char* text) {
    const auto made = config_on_this_machine(text, "127.96.0.7", {});
    return made ? "" : made.error().message;
  };
  EXPECT_THAT(complaint("a: [1"), HasSubstr("envoy.yaml:"));
  EXPECT_THAT(complaint("[]"), HasSubstr("one map"));
  EXPECT_THAT(complaint(""), HasSubstr("one map"));
  EXPECT_THAT(complaint("admin: {}"), HasSubstr("no listeners"));
  EXPECT_EQ(complaint("dynamicResources: {}"), "");
}

TEST(gateway_config, moves_the_listeners_of_files_that_are_followed) {
  const auto made = files_on_this_machine(
      {{"envoy.yaml", small_yaml},
       {"cds.yaml", "resources: [{name: admin, address: {pipe: {path: '@admin'}}}]"},
       {"lds.yaml",
        "resources: [{address: {socketAddress: {address: '::', portValue: 443, ipv4Compat: true}}}]"}},
      "127.96.0.7", {});
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_EQ(json::to_text(object_from(made->at("lds.yaml"))),
            R"({"resources":[{"address":{"socketAddress":{"address":"127.96.0.7","portValue":443}},)"
            R"("enableReusePort":false}]})");
  EXPECT_EQ(json::to_text(object_from(made->at("cds.yaml"))),
            R"({"resources":[{"name":"admin","address":{"pipe":{"path":"@admin-127.96.0.7"}}}]})");
  EXPECT_THAT(made->at("envoy.yaml"), HasSubstr("typedDnsResolverConfig"));
  const auto broken =
      files_on_this_machine({{"envoy.yaml", small_yaml}, {"lds.yaml", "a: b"}}, "127.96.0.7", {});
  ASSERT_FALSE(broken);
  EXPECT_THAT(broken.error().message, HasSubstr("lds.yaml: it has no resources"));
}

TEST(gateway_config, names_the_folder_that_the_files_are_in) {
  EXPECT_EQ(json::to_text(object_from(mounted_at(
                R"({"ldsConfig": {"pathConfigSource": {"path": "/etc/envoy/lds.yaml",
                    "watchedDirectory": {"path": "/etc/envoy"}}}, "log": [{"path": "/dev/stdout"}]})",
                "/tmp/d.default"))),
            R"({"ldsConfig":{"pathConfigSource":{"path":"/tmp/d.default/lds.yaml",)"
            R"("watchedDirectory":{"path":"/tmp/d.default"}}},"log":[{"path":"/dev/stdout"}]})");
}

struct gateway_plans : ::testing::Test {
  gateway_plan plan() { return plan_gateway(api.on->objects(), {"egress-operator-system", "d"}); }
  api_client api;
};

TEST_F(gateway_plans, take_all_three_objects) {
  post_gateway(api, "d");
  const auto made = plan();
  ASSERT_EQ(made.what, gateway_plan::state::run);
  EXPECT_THAT(made.arguments,
              ElementsAre("--log-level", "debug", "--concurrency", "1", "--disable-hot-restart"));
  EXPECT_EQ(made.files, (config_files{{"envoy.yaml", small_yaml}}));
  EXPECT_FALSE(made.follows_files());
  EXPECT_EQ(made.address, text_at(api.get(under(services_path, "d")).body, {"spec", "clusterIP"}));
  EXPECT_EQ(made.ready_port, 11000);
  EXPECT_EQ(made.ready_path, "/ready");
}

TEST_F(gateway_plans, wait_for_what_is_missing) {
  api.post(deployments_path, gateway_deployment("d"));
  EXPECT_EQ(plan().what, gateway_plan::state::waiting);
  api.post(config_maps_path, gateway_map("d", small_yaml));
  EXPECT_EQ(plan().what, gateway_plan::state::waiting);
  api.post(services_path, service("d", R"(,"clusterIP":"None")"));
  EXPECT_EQ(plan().what, gateway_plan::state::waiting);
  api.remove(under(services_path, "d"));
  api.post(services_path, service("d"));
  EXPECT_EQ(plan().what, gateway_plan::state::run);
}

TEST_F(gateway_plans, wait_for_the_configuration_that_the_pods_name) {
  post_gateway(api, "d", 3, {.hash = hash_of_b});
  api.put(under(config_maps_path, "d"), gateway_map("d", "a"));
  EXPECT_EQ(plan().what, gateway_plan::state::waiting);
  api.put(under(config_maps_path, "d"), gateway_map("d", "b"));
  EXPECT_EQ(plan().what, gateway_plan::state::run);
}

TEST_F(gateway_plans, are_for_gateways_only) {
  EXPECT_EQ(plan().what, gateway_plan::state::none);
  api.post(deployments_path, deployment("d"));
  EXPECT_EQ(plan().what, gateway_plan::state::none);
}

TEST_F(gateway_plans, stop_without_replicas) {
  post_gateway(api, "d", 0);
  EXPECT_EQ(plan().what, gateway_plan::state::off);
}

TEST_F(gateway_plans, differ_when_pods_or_address_do) {
  post_gateway(api, "d");
  const auto first = plan().identity;
  api.put(under(deployments_path, "d"), gateway_deployment("d", 5));
  EXPECT_EQ(plan().identity, first) << "one process stands for all replicas";
  api.put(under(deployments_path, "d"), gateway_deployment("d", 5, {.image = "envoy:2"}));
  const auto second = plan().identity;
  EXPECT_NE(second, first);
  api.remove(under(services_path, "d"));
  api.post(services_path, service("other"));
  api.post(services_path, service("d"));
  EXPECT_NE(plan().identity, second);
}

TEST_F(gateway_plans, do_without_arguments_and_probe) {
  post_gateway(api, "d", 1, {.arguments = "[]", .probe = false});
  EXPECT_THAT(plan().arguments, ElementsAre("--concurrency", "1", "--disable-hot-restart"));
  EXPECT_EQ(plan().ready_port, 0);
}

// As wait(2) gives it: an exit code in the second byte, a signal in the first.
TEST(ended_how, is_said_with_the_programs_last_words) {
  EXPECT_EQ(ended_how(9, "an access log line\n"), "signal 9");
  EXPECT_EQ(ended_how(0, "exiting\n"), "exit code 0");
  EXPECT_EQ(ended_how(1 << 8, "starting\nno such cluster\n\n"), "exit code 1: no such cluster");
  EXPECT_EQ(ended_how(127 << 8, ""), "exit code 127");
  EXPECT_THAT(ended_how(1 << 8, "cannot bind '127.96.0.1:443': Permission denied"),
              HasSubstr("net.ipv4.ip_unprivileged_port_start"));
}

}  // namespace
}  // namespace egress::dev::test
