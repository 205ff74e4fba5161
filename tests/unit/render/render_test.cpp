// The commands render and validate.

#include "actors/reconciler/render.hpp"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

#include "actors/reconciler/dns_name.hpp"
#include "tests/unit/render/samples.hpp"

namespace egress::reconciler {
namespace {

std::vector<kube::object_ptr> shared(std::vector<kube::object> objects) {
  std::vector<kube::object_ptr> made;
  for (auto& one : objects) made.push_back(std::make_shared<const kube::object>(std::move(one)));
  return made;
}

kube::object named(const std::string& name, const std::string& dns_name, std::int64_t created = 0) {
  auto made = samples::external_service(name);
  made.meta.creation_time = created;
  samples::change_spec(made, [&](auto& spec) { spec.dns_name = dns_name; });
  return made;
}

TEST(render_list, orders_children_by_name_and_kind) {
  auto settings = samples::hardened();
  const auto list = render_list(shared({named("b", "b.example"), named("a", "a.example")}), settings, true);
  ASSERT_TRUE(list) << list.error().message;
  const auto tree = boost::json::parse(*list);
  EXPECT_EQ(tree.at("kind"), "List");
  const auto& items = tree.at("items").as_array();
  ASSERT_EQ(items.size(), 10U);  // no PodDisruptionBudget
  EXPECT_EQ(items[0].at("kind"), "ConfigMap");
  EXPECT_EQ(items[0].at("metadata").at("name"), "a");
  EXPECT_EQ(items[9].at("kind"), "NetworkPolicy");
  EXPECT_EQ(items[9].at("metadata").at("name"), "b");
  settings.pod_disruption_budgets = true;
  EXPECT_EQ(boost::json::parse(*render_list(shared({named("a", "a.example")}), settings, true))
                .at("items")
                .as_array()
                .size(),
            6U);
}

TEST(render_list, writes_yaml_with_envoys_configuration_as_a_block) {
  const auto list = render_list(shared({named("a", "a.example")}), samples::compatible(), false);
  ASSERT_TRUE(list);
  EXPECT_TRUE(list->starts_with(
      "apiVersion: v1\nitems:\n- apiVersion: v1\n  data:\n    envoy.yaml: |\n      admin:\n"));
  EXPECT_TRUE(list->ends_with("\nkind: List\n"));
}

TEST(render_list, gives_a_line_for_each_that_is_refused_and_nothing_else) {
  const auto list =
      render_list(shared({named("a", ""), named("b", "b.example"), named("c", "x_y")}), {}, false);
  ASSERT_FALSE(list);
  EXPECT_EQ(list.error().message.substr(0, 51), "externalservice/a: refused, InvalidDNSName: spec.dn");
  EXPECT_NE(list.error().message.find("\nexternalservice/c: refused, InvalidDNSName"), std::string::npos);
  EXPECT_EQ(list.error().message.find("externalservice/b"), std::string::npos);
}

TEST(validate_report, has_a_line_an_object) {
  auto udp = named("a", "a.example");
  samples::change_spec(udp, [](auto& spec) { spec.ports = {{53, "UDP"}}; });
  const auto made = validate_report(shared({named("b", "b.example"), udp}), samples::compatible());
  EXPECT_FALSE(made.refused);
  EXPECT_TRUE(made.text.starts_with("externalservice/a: accepted; note, EnvoyRejectsUDP: "));
  EXPECT_TRUE(made.text.ends_with("\nexternalservice/b: accepted\n"));
}

TEST(validate_report, gives_a_name_to_the_oldest) {
  const auto made = validate_report(
      shared({named("a", "API.example.", 20), named("b", "api.example", 10), named("c", "api.example", 10)}),
      {});
  EXPECT_TRUE(made.refused);
  EXPECT_NE(made.text.find("externalservice/a: refused, DNSNameTaken: "), std::string::npos);
  EXPECT_NE(made.text.find("externalservice/b: accepted\n"), std::string::npos);
  EXPECT_NE(made.text.find("externalservice/c: refused, DNSNameTaken: "), std::string::npos);
}

TEST(validate_report, refuses_what_no_config_map_holds) {
  const auto with_ports = [](const std::string& dns_name, std::int64_t count) {
    auto made = named("a", dns_name);
    samples::change_spec(made, [&](auto& spec) {
      spec.ports.clear();
      for (std::int64_t i = 0; i < count; ++i) spec.ports.push_back({2000 + i, "TCP"});
    });
    return shared({made});
  };
  for (const auto& [fits, is_too_much] :
       {std::pair{with_ports("*.example.com", 60), with_ports("*.example.com", 90)},
        std::pair{with_ports("a.example.com", 256), with_ports("a.example.com", 1024)}}) {
    EXPECT_EQ(validate_report(fits, {}).text, "externalservice/a: accepted\n");
    const auto refused = validate_report(is_too_much, {});
    EXPECT_TRUE(refused.refused);
    EXPECT_TRUE(refused.text.starts_with("externalservice/a: refused, ConfigurationTooLarge: "))
        << refused.text;
    EXPECT_FALSE(render_list(is_too_much, {}, false));
  }
}

TEST(validate_report, refuses_a_name_given_twice) {
  const auto made = validate_report(shared({named("a", "a.example"), named("a", "b.example")}), {});
  EXPECT_TRUE(made.refused);
  EXPECT_NE(made.text.find("refused, Repeated: "), std::string::npos);
}

TEST(dns_name_key, ignores_case_and_one_trailing_dot) {
  EXPECT_EQ(dns_name_key("API.Example.Com."), "api.example.com");
  EXPECT_EQ(dns_name_key("a.."), "a.");
  EXPECT_EQ(dns_name_key(""), "");
}

}  // namespace
}  // namespace egress::reconciler
