#include "runtime/devserver/selector.hpp"

#include <gtest/gtest.h>

#include "tests/unit/devserver/api_client.hpp"

namespace egress::dev {
namespace {

struct selector_case {
  const char* text;
  bool matches;
};

class label_selectors : public ::testing::TestWithParam<selector_case> {};

TEST_P(label_selectors, match) {
  const auto object = test::object_from(R"({"metadata":{"labels":{"app":"egress","tier":"b","empty":""}}})");
  const auto made = label_selector::parse(GetParam().text);
  ASSERT_TRUE(made) << GetParam().text;
  EXPECT_EQ(made->matches(object), GetParam().matches) << GetParam().text;
}

INSTANTIATE_TEST_SUITE_P(
    all, label_selectors,
    ::testing::Values(selector_case{"", true}, selector_case{"app=egress", true},
                      selector_case{"app==egress", true}, selector_case{"app = egress", true},
                      selector_case{"app=other", false}, selector_case{"app!=other", true},
                      selector_case{"app!=egress", false}, selector_case{"none!=x", true},
                      selector_case{"none=x", false}, selector_case{"app", true},
                      selector_case{"none", false}, selector_case{"!none", true},
                      selector_case{"!app", false}, selector_case{"tier in (a,b)", true},
                      selector_case{"tier in (a, c)", false}, selector_case{"tier notin (a,c)", true},
                      selector_case{"tier notin (b)", false}, selector_case{"none notin (b)", true},
                      selector_case{"empty=", true}, selector_case{"tier in (a,b),app=egress,!none", true},
                      selector_case{"tier in (a,b),app=x", false}));

class bad_label_selectors : public ::testing::TestWithParam<const char*> {};

TEST_P(bad_label_selectors, are_refused) {
  const auto made = label_selector::parse(GetParam());
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, 400);
}

INSTANTIATE_TEST_SUITE_P(all, bad_label_selectors,
                         ::testing::Values("=x", "a in b", "a in (b", "a,", ",a", "a b", "!", "a in", "(a)",
                                           "a=b c"));

TEST(field_selectors, match_any_scalar_path) {
  const auto object = test::object_from(R"({"metadata":{"name":"a"},"involvedObject":{"kind":"Pod"}})");
  const auto matches = [&object](const char* text) { return field_selector::parse(text)->matches(object); };
  EXPECT_TRUE(matches(""));
  EXPECT_TRUE(matches("metadata.name=a"));
  EXPECT_TRUE(matches("metadata.name==a"));
  EXPECT_FALSE(matches("metadata.name=b"));
  EXPECT_TRUE(matches("metadata.name!=b"));
  EXPECT_FALSE(matches("metadata.name=a,involvedObject.kind!=Pod"));
  EXPECT_TRUE(matches("metadata.namespace="));
  EXPECT_EQ(field_selector::parse("metadata.name").error().code, 400);
}

}  // namespace
}  // namespace egress::dev
