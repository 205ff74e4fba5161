// Our YAML against Go's (tests/golden/yaml-scalars.tsv): one other quote, and every gateway would restart.

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <sstream>

#include "actors/reconciler/growing_hash.hpp"
#include "actors/reconciler/yaml_scalar.hpp"
#include "actors/reconciler/yaml_writer.hpp"
#include "tests/unit/render/samples.hpp"

namespace egress::yaml {
namespace {

TEST(yaml_scalars, are_written_as_go_writes_them) {
  std::istringstream lines(samples::file_text("tests/golden/yaml-scalars.tsv"));
  std::size_t compared = 0;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with('#')) continue;
    const auto tab = line.find('\t');
    const auto text = boost::json::parse(line.substr(0, tab));
    const auto expected = boost::json::parse(line.substr(tab + 1));
    EXPECT_EQ(to_text(json::object{{"k", text}}), std::string_view(expected.as_string())) << line;
    ++compared;
  }
  EXPECT_GT(compared, 900U);
}

TEST(yaml_scalars, keep_line_and_paragraph_separators_on_one_line) {
  std::string out;
  append_string(out, "a\xe2\x80\xa8z\xe2\x80\xa9", 0);
  EXPECT_EQ(out, R"("a\Lz\P")");
}

TEST(yaml_scalars, are_quoted_when_they_are_short_words_of_another_type) {
  for (const auto* word : {"y", "No", "null", "TRUE", "off", "False"})
    EXPECT_EQ(style_of(word), scalar_style::double_quoted) << word;
  for (const auto* word : {"x", "name", "type", "nul", "falsey", "a-b_c.d/e@f"})
    EXPECT_EQ(style_of(word), scalar_style::plain) << word;
}

TEST(yaml_writer, sorts_keys_and_keeps_sequences_flush_with_their_key) {
  const auto tree =
      boost::json::parse(R"({"b":[{"z":1,"a":[1,[2,3],{}]}],"a":{"y":null,"x":-1},"@type":"t"})").as_object();
  EXPECT_EQ(to_text(tree),
            "'@type': t\n"
            "a:\n"
            "  x: -1\n"
            "  \"y\": null\n"
            "b:\n"
            "- a:\n"
            "  - 1\n"
            "  - - 2\n"
            "    - 3\n"
            "  - {}\n"
            "  z: 1\n");
}

TEST(yaml_writer, writes_empty_containers_booleans_and_numbers_inline) {
  const auto tree =
      boost::json::parse(R"({"a":[],"b":{},"c":true,"d":18446744073709551615,"e":0.95})").as_object();
  EXPECT_EQ(to_text(tree), "a: []\nb: {}\nc: true\nd: 18446744073709551615\ne: 0.95\n");
}

TEST(yaml_writer, hashes_what_it_writes) {
  for (const auto* json : {"{}", R"({"b":[{"z":1,"a":[1,{}]},2],"a":{"y":"l\nm\n","x":{}},"c":[]})"}) {
    const auto tree = boost::json::parse(json).as_object();
    const auto [text, hash] = to_hashed_text(tree);
    growing_hash expected;
    expected.follow(text);
    EXPECT_EQ(text, to_text(tree));
    EXPECT_EQ(hash, expected.value()) << text;
  }
}

TEST(yaml_writer, indents_a_literal_below_its_key) {
  const auto tree = boost::json::parse(R"({"data":{"envoy.yaml":"a:\n- b\n\nc: d\n"}})").as_object();
  EXPECT_EQ(to_text(tree), "data:\n  envoy.yaml: |\n    a:\n    - b\n\n    c: d\n");
}

}  // namespace
}  // namespace egress::yaml
