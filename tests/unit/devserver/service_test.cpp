// ClusterIPs and what else a server decides about Services.

#include <set>

#include "tests/unit/devserver/api_client.hpp"

namespace egress::dev::test {
namespace {

std::string ip_of(const reply& of) {
  return std::string{text_at(of.body, {"spec", "clusterIP"})};
}

TEST(ip_pools, read_ranges) {
  EXPECT_TRUE(ip_pool::parse("127.96.0.0/12"));
  EXPECT_TRUE(ip_pool::parse("fd00::/112"));
  for (const auto* const bad :
       {"", "127.0.0.1", "127.0.0.0/", "127.0.0.0/33", "127.0.0.0/32", "x/8", "1.2.3/8", "::/200"})
    EXPECT_FALSE(ip_pool::parse(bad)) << bad;
}

TEST(ip_pools, give_each_address_once) {
  auto pool = *ip_pool::parse("127.0.0.9/29");
  std::set<std::string> given;
  while (const auto one = pool.allocate()) EXPECT_TRUE(given.insert(*one).second) << *one;
  EXPECT_EQ(given.size(), 7U);
  EXPECT_TRUE(given.contains("127.0.0.9"));
  EXPECT_TRUE(given.contains("127.0.0.15"));
  pool.release("127.0.0.12");
  EXPECT_EQ(pool.allocate(), "127.0.0.12");
  EXPECT_FALSE(pool.take("127.0.0.12"));
  EXPECT_FALSE(pool.take("127.0.0.8"));
  EXPECT_FALSE(pool.take("127.0.0.16"));
  EXPECT_FALSE(pool.take("fd00::1"));
}

TEST(services, get_an_address_and_defaults) {
  api_client api;
  const auto made = api.post(services_path, service("a"));
  ASSERT_EQ(made.status, 201) << made.message();
  EXPECT_TRUE(ip_of(made).starts_with("127."));
  EXPECT_EQ(array_at(made.body, {"spec", "clusterIPs"})->front(), json::value(ip_of(made)));
  EXPECT_EQ(text_at(made.body, {"spec", "internalTrafficPolicy"}), "Cluster");
  EXPECT_EQ(text_at(made.body, {"spec", "ipFamilyPolicy"}), "SingleStack");
  EXPECT_EQ(*array_at(made.body, {"spec", "ipFamilies"}), json::array{"IPv4"});
  const auto& port = array_at(made.body, {"spec", "ports"})->front().as_object();
  EXPECT_EQ(number_at(port, {"targetPort"}), 443);
  EXPECT_EQ(text_at(port, {"protocol"}), "TCP");
  EXPECT_NE(ip_of(api.post(services_path, service("b"))), ip_of(made));
}

TEST(services, get_the_address_that_they_ask_for_or_are_refused) {
  api_client api;
  const auto asked = service("a", R"(,"clusterIP":"127.96.1.2")");
  EXPECT_EQ(ip_of(api.post(services_path, asked)), "127.96.1.2");
  const auto taken = api.post(services_path, service("b", R"(,"clusterIP":"127.96.1.2")"));
  EXPECT_EQ(taken.status, 422);
  EXPECT_NE(taken.message().find("provided IP is already allocated"), std::string::npos) << taken.message();
  EXPECT_EQ(api.post(services_path, service("b", R"(,"clusterIP":"10.0.0.1")")).status, 422);
  api.remove(under(services_path, "a"));
  EXPECT_EQ(api.post(services_path, service("b", R"(,"clusterIP":"127.96.1.2")")).status, 201);
}

TEST(services, give_back_what_a_refused_or_tried_write_took) {
  api_client api({.cluster_ip_range = "127.0.0.0/30"});
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(api.post(std::string{services_path} + "?dryRun=All", service("a")).status, 201);
    EXPECT_EQ(api.post(services_path, service("A")).status, 422);
  }
  for (const auto* const name : {"a", "b", "c"})
    EXPECT_EQ(api.post(services_path, service(name)).status, 201) << name;
  EXPECT_EQ(api.post(services_path, service("d")).status, 500);
}

TEST(services, keep_their_address) {
  api_client api;
  const auto ip = ip_of(api.post(services_path, service("a")));
  EXPECT_EQ(ip_of(api.merge(under(services_path, "a"), R"({"spec":{"clusterIP":null,"clusterIPs":null}})")),
            ip);
  EXPECT_EQ(ip_of(api.put(under(services_path, "a"), service("a"))), ip);
  const auto moved = api.merge(under(services_path, "a"),
                               R"({"spec":{"clusterIP":"127.96.9.9","clusterIPs":["127.96.9.9"]}})");
  EXPECT_EQ(moved.status, 422);
  EXPECT_NE(moved.message().find("may not change once set"), std::string::npos);
}

TEST(services, may_be_headless) {
  api_client api;
  const auto made = api.post(services_path, service("a", R"(,"clusterIP":"None")"));
  EXPECT_EQ(ip_of(made), "None");
  EXPECT_EQ(*array_at(made.body, {"spec", "clusterIPs"}), json::array{"None"});
}

TEST(services, have_two_families_where_the_cluster_has) {
  api_client single, dual({.cluster_ip_range_v6 = "fd00:96::/112"});
  const auto preferred = service("a", R"(,"ipFamilyPolicy":"PreferDualStack")");
  const auto one = single.post(services_path, preferred);
  EXPECT_EQ(array_at(one.body, {"spec", "clusterIPs"})->size(), 1U);
  EXPECT_EQ(text_at(one.body, {"spec", "ipFamilyPolicy"}), "PreferDualStack");
  const auto two = dual.post(services_path, preferred);
  ASSERT_EQ(array_at(two.body, {"spec", "clusterIPs"})->size(), 2U);
  EXPECT_TRUE(std::string_view{array_at(two.body, {"spec", "clusterIPs"})->at(1).as_string()}.starts_with(
      "fd00:96::"));
  EXPECT_EQ(*array_at(two.body, {"spec", "ipFamilies"}), (json::array{"IPv4", "IPv6"}));
  EXPECT_EQ(single.post(services_path, service("b", R"(,"ipFamilyPolicy":"RequireDualStack")")).status, 422);
}

TEST(services, need_ports_with_numbers) {
  api_client api;
  EXPECT_EQ(api.post(services_path, R"({"metadata":{"name":"a"},"spec":{}})").status, 422);
  EXPECT_EQ(api.post(services_path, R"({"metadata":{"name":"a"},"spec":{"ports":[{"port":70000}]}})").status,
            422);
  EXPECT_EQ(
      api.post(services_path, R"({"metadata":{"name":"a"},"spec":{"ports":[{"port":1},{"port":2}]}})").status,
      422);
  EXPECT_EQ(api.post(services_path, service("1a")).status, 422);
}

}  // namespace
}  // namespace egress::dev::test
