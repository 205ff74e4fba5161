#include "runtime/kube/json_bytes.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <set>

#include "runtime/kube/json_text.hpp"

namespace egress::json {
namespace {

std::string bytes_of(std::string_view text) {
  return canonical_bytes(parse(text)->as_object());
}

TEST(json_bytes, does_not_depend_on_the_order_of_members) {
  EXPECT_EQ(bytes_of(R"({"b":{"d":1,"c":[2,{"y":1,"x":2}]},"a":"\n"})"),
            bytes_of(R"({"a":"\n","b":{"c":[2,{"x":2,"y":1}],"d":1}})"));
}

TEST(json_bytes, does_not_depend_on_how_a_whole_number_is_held) {
  EXPECT_EQ(canonical_bytes({{"a", std::int64_t{7}}}), canonical_bytes({{"a", std::uint64_t{7}}}));
}

TEST(json_bytes, differs_for_all_that_is_not_the_same) {
  std::set<std::string> made;
  const auto texts = {R"({})",
                      R"({"a":null})",
                      R"({"a":true})",
                      R"({"a":false})",
                      R"({"a":0})",
                      R"({"a":-1})",
                      R"({"a":18446744073709551615})",
                      R"({"a":0.5})",
                      R"({"a":1.0})",
                      R"({"a":1})",
                      R"({"a":"1"})",
                      R"({"a":""})",
                      R"({"a":"n"})",
                      R"({"a":[]})",
                      R"({"a":[[]]})",
                      R"({"a":[[],[]]})",
                      R"({"a":{}})",
                      R"({"a":["b"]})",
                      R"({"a":{"b":"c"}})",
                      R"({"a":["b","c"]})",
                      R"({"a":["c","b"]})",
                      R"({"a":["bc"]})",
                      R"({"a":"b","c":"d"})",
                      R"({"a":{"b":{},"c":{}}})",
                      R"({"a":{"b":{}},"c":{}})",
                      R"({"ab":"c"})",
                      R"({"a":"bc"})",
                      R"({"b":null})"};
  for (const auto* text : texts) EXPECT_TRUE(made.insert(bytes_of(text)).second) << text;
}

TEST(json_bytes, tells_a_text_with_lengths_in_it_from_members) {
  const auto two = canonical_bytes({{"a", "b"}, {"c", "d"}});
  const std::string inside = two.substr(two.find('b'), two.size());
  EXPECT_NE(canonical_bytes({{"a", inside}}), two);
}

}  // namespace
}  // namespace egress::json
