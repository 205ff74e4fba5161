// Which DNS servers the gateways of `dev --envoy` ask, and what is refused.

#include "runtime/program/dev_envoy.hpp"

#include <gmock/gmock.h>

#include <filesystem>

#include "tests/support/temporary_folder.hpp"

namespace egress {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::vector<dev::name_server> resolvers(dns_options options) {
  return gateway_resolvers(options).value();
}

TEST(gateway_resolvers, are_the_operators_plain_upstreams) {
  dns_options options;
  options.upstreams = {"10.0.0.53", "tls://10.0.0.54#dns.example", "[fd00::53]:5353"};
  EXPECT_THAT(resolvers(options),
              ElementsAre(dev::name_server{"10.0.0.53", 53}, dev::name_server{"fd00::53", 5353}));
}

TEST(gateway_resolvers, are_those_of_resolv_conf_without_the_operator_itself) {
  const egress::test::temporary_folder folder;
  dns_options options;
  options.resolv_conf = folder.write("resolv.conf", "nameserver 127.0.0.1\nnameserver 10.0.0.53\n");
  options.address = ":5353";
  EXPECT_THAT(resolvers(options), ElementsAre(dev::name_server{"127.0.0.1"}, dev::name_server{"10.0.0.53"}));
  options.address = ":53";
  EXPECT_THAT(resolvers(options), ElementsAre(dev::name_server{"10.0.0.53"}));
  options.address = "10.0.0.53:53";
  EXPECT_THAT(resolvers(options), IsEmpty());
}

struct envoy_set_up : testing::Test {
  std::string complaint() {
    const auto done = set_up_envoy(options, made);
    return done ? "" : done.error().message;
  }
  egress::test::temporary_folder folder;
  dev_options options;
  dev::dev_server_options made;
};

TEST_F(envoy_set_up, plays_gateways_without_the_flag) {
  EXPECT_EQ(complaint(), "");
  EXPECT_FALSE(made.envoy);
  EXPECT_FALSE(made.cluster.run_gateways);
}

TEST_F(envoy_set_up, makes_the_folder) {
  options.envoy = folder.write_program("envoy", "");
  options.envoy_logs = folder.path("a/b");
  options.run.dns.upstreams = {"10.0.0.53"};
  ASSERT_EQ(complaint(), "");
  EXPECT_EQ(made.envoy->folder, options.envoy_logs);
  EXPECT_TRUE(std::filesystem::is_directory(options.envoy_logs));
  EXPECT_THAT(*made.cluster.run_gateways, ElementsAre(dev::name_server{"10.0.0.53"}));
}

TEST_F(envoy_set_up, refuses_what_cannot_work) {
  options.envoy = folder.path("nothing");
  EXPECT_THAT(complaint(), HasSubstr("--envoy: "));
  options.envoy = folder.path();
  EXPECT_THAT(complaint(), HasSubstr("no program"));
  options.envoy = folder.write_program("envoy", "");
  options.service_range = "10.96.0.0/12";
  EXPECT_THAT(complaint(), HasSubstr("--service-cluster-ip-range"));
  options.service_range = "127.96.0.0/12";
  options.envoy_logs = folder.write("file", "");
  EXPECT_THAT(complaint(), HasSubstr("--envoy-logs"));
}

}  // namespace
}  // namespace egress
