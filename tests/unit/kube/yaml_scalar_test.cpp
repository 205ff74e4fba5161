#include "runtime/kube/yaml_scalar.hpp"

#include <gtest/gtest.h>

#include "runtime/kube/json_text.hpp"

namespace egress::kube {
namespace {

struct row {
  std::string_view text, json;
};

// As kubectl 1.34 prints them with `-o json`.
TEST(yaml_scalar, means_what_it_means_to_kubectl) {
  constexpr row rows[] = {
      {"y", "true"},
      {"Y", "true"},
      {"n", "false"},
      {"yes", "true"},
      {"on", "true"},
      {"No", "false"},
      {"off", "false"},
      {"true", "true"},
      {"tRue", "\"tRue\""},
      {"~", "null"},
      {"null", "null"},
      {"", "null"},
      {"0o17", "15"},
      {"017", "15"},
      {"08", "8"},
      {"0x1F", "31"},
      {"1_000", "1000"},
      {"1__0", "10"},
      {"_1", "\"_1\""},
      {"1e3", "1000"},
      {"1:20", "\"1:20\""},
      {"1:2:3:4:5:6:7:8", "\"1:2:3:4:5:6:7:8\""},
      {"2001-01-01", "\"2001-01-01\""},
      {"5.", "5"},
      {"+3", "3"},
      {"-0b11", "-3"},
      {"0x", "\"0x\""},
      {"0x1p4", "\"0x1p4\""},
      {".1e2", "10"},
      {"1.0", "1"},
      {"-5", "-5"},
      {"-", "\"-\""},
      {".", "\".\""},
      {"18446744073709551615", "18446744073709551615"},
      {"-9223372036854775808", "-9223372036854775808"},
      {"1e999", "\"1e999\""},
      {"fe80::", "\"fe80::\""},
      {"1.2.3.4", "\"1.2.3.4\""},
      {"a b", "\"a b\""},
  };
  for (const auto& [text, json] : rows) {
    const auto resolved = resolve_scalar("?", text);
    ASSERT_TRUE(resolved) << text;
    EXPECT_EQ(json::to_text(*resolved), json) << text;
    EXPECT_EQ(json::to_text(*resolve_scalar("!", text)), json::to_text(json::string(text))) << text;
  }
  EXPECT_EQ(resolve_scalar("?", ".5")->as_double(), 0.5);
  EXPECT_EQ(resolve_scalar("?", ".5_5")->as_double(), 0.55);
  EXPECT_EQ(resolve_scalar("?", "1.5")->as_double(), 1.5);
}

TEST(yaml_scalar, a_tag_must_fit) {
  EXPECT_EQ(*resolve_scalar("tag:yaml.org,2002:str", "5"), json::value("5"));
  EXPECT_EQ(*resolve_scalar("tag:yaml.org,2002:int", "5"), json::value(5));
  EXPECT_EQ(*resolve_scalar("tag:yaml.org,2002:float", "5"), json::value(5));
  EXPECT_EQ(*resolve_scalar("!mine", "5"), json::value("5"));
  EXPECT_FALSE(resolve_scalar("tag:yaml.org,2002:bool", "3"));
  EXPECT_FALSE(resolve_scalar("tag:yaml.org,2002:binary", "aGk="));
  EXPECT_FALSE(resolve_scalar("?", ".inf"));
  EXPECT_FALSE(resolve_scalar("?", "-.Inf"));
  EXPECT_FALSE(resolve_scalar("?", ".nan"));
}

TEST(yaml_scalar, keys_become_strings) {
  EXPECT_EQ(*resolve_key("?", "true"), "true");
  EXPECT_EQ(*resolve_key("?", "y"), "true");
  EXPECT_EQ(*resolve_key("!", "y"), "y");
  EXPECT_EQ(*resolve_key("?", "010"), "8");
  EXPECT_EQ(*resolve_key("?", "2001-01-01"), "2001-01-01");
  EXPECT_FALSE(resolve_key("?", "~"));
}

}  // namespace
}  // namespace egress::kube
