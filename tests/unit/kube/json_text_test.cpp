#include "runtime/kube/json_text.hpp"

#include <gtest/gtest.h>

namespace egress::json {
namespace {

TEST(json_text, says_at_which_byte_a_text_is_wrong) {
  EXPECT_EQ(parse("{\"a\":").error().message, "not JSON at byte 5: the text ends too early");
  EXPECT_TRUE(parse("{\"a\":1} x").error().message.starts_with("not JSON at byte 8"));
  EXPECT_TRUE(parse("{\"a\":nope}").error().message.starts_with("not JSON at byte "));
  EXPECT_FALSE(parse(""));
}

TEST(json_text, bounds_the_depth) {
  EXPECT_TRUE(parse(std::string(99, '[') + std::string(99, ']')));
  EXPECT_FALSE(parse(std::string(200, '[') + std::string(200, ']')));
}

TEST(json_text, canonical_text_escapes_as_the_plain_one_does) {
  std::string every = "é€😀";
  for (char c = 0; c < 127; ++c) every += c;
  const value text(every);
  EXPECT_EQ(canonical_text(text), to_text(text));
  EXPECT_EQ(canonical_text(value("")), "\"\"");
  EXPECT_EQ(canonical_text(value("\n")), R"("\n")");
  EXPECT_EQ(canonical_text(object{{every, 1}}), to_text(object{{every, 1}}));
}

TEST(json_text, canonical_text_does_not_depend_on_the_order) {
  EXPECT_EQ(canonical_text(*parse(R"({"b":{"d":1,"c":[2,{"y":1,"x":2}]},"a":"\n"})")),
            R"({"a":"\n","b":{"c":[2,{"x":2,"y":1}],"d":1}})");
  EXPECT_EQ(canonical_text(*parse("{}")), "{}");
  EXPECT_EQ(canonical_text(*parse("[]")), "[]");
}

TEST(json_text, pretty_text_is_indented_by_two) {
  EXPECT_EQ(pretty_text(*parse(R"({"a":[1,{"b":null}],"c":{},"d":[]})")),
            "{\n  \"a\": [\n    1,\n    {\n      \"b\": null\n    }\n  ],\n  \"c\": {},\n  \"d\": []\n}\n");
}

TEST(json_text, an_object_must_be_an_object) {
  EXPECT_EQ(parse_object("[1]").error().message, "a list where a JSON object belongs");
  EXPECT_TRUE(parse_object("{}"));
}

TEST(json_text, text_at_takes_strings_alone) {
  const auto object = *parse_object(R"({"a":"x","b":1,"c":null})");
  EXPECT_EQ(text_at(object, "a"), "x");
  for (const auto* name : {"b", "c", "d"}) EXPECT_EQ(text_at(object, name), "") << name;
}

}  // namespace
}  // namespace egress::json
