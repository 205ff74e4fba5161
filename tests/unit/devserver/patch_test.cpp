#include "runtime/devserver/patch.hpp"

#include <gtest/gtest.h>

#include "runtime/kube/json_text.hpp"

namespace egress::dev {
namespace {

json::value read(const char* text) {
  const auto made = json::parse(text);
  EXPECT_TRUE(made) << text;
  return made ? *made : json::value{};
}

struct patch_case {
  const char *base, *patch, *result;
};

class merge_patches : public ::testing::TestWithParam<patch_case> {};

TEST_P(merge_patches, apply) {
  const auto& [base, patch, result] = GetParam();
  EXPECT_EQ(merge_patched(read(base), read(patch)), read(result));
}

// The examples of RFC 7386, appendix A.
INSTANTIATE_TEST_SUITE_P(
    rfc_7386, merge_patches,
    ::testing::Values(patch_case{R"({"a":"b"})", R"({"a":"c"})", R"({"a":"c"})"},
                      patch_case{R"({"a":"b"})", R"({"b":"c"})", R"({"a":"b","b":"c"})"},
                      patch_case{R"({"a":"b"})", R"({"a":null})", R"({})"},
                      patch_case{R"({"a":"b","b":"c"})", R"({"a":null})", R"({"b":"c"})"},
                      patch_case{R"({"a":["b"]})", R"({"a":"c"})", R"({"a":"c"})"},
                      patch_case{R"({"a":"c"})", R"({"a":["b"]})", R"({"a":["b"]})"},
                      patch_case{R"({"a":{"b":"c"}})", R"({"a":{"b":"d","c":null}})", R"({"a":{"b":"d"}})"},
                      patch_case{R"({"a":[{"b":"c"}]})", R"({"a":[1]})", R"({"a":[1]})"},
                      patch_case{R"(["a","b"])", R"(["c","d"])", R"(["c","d"])"},
                      patch_case{R"({"a":"b"})", R"(["c"])", R"(["c"])"},
                      patch_case{R"({"a":"foo"})", R"(null)", R"(null)"},
                      patch_case{R"({"e":null})", R"({"a":1})", R"({"e":null,"a":1})"},
                      patch_case{R"([1,2])", R"({"a":"b","c":null})", R"({"a":"b"})"},
                      patch_case{R"({})", R"({"a":{"bb":{"ccc":null}}})", R"({"a":{"bb":{}}})"}));

class json_patches : public ::testing::TestWithParam<patch_case> {};

TEST_P(json_patches, apply) {
  const auto& [base, patch, result] = GetParam();
  const auto made = json_patched(read(base), read(patch));
  ASSERT_TRUE(made) << made.error();
  EXPECT_EQ(*made, read(result));
}

INSTANTIATE_TEST_SUITE_P(
    rfc_6902, json_patches,
    ::testing::Values(
        patch_case{R"({"a":1})", R"([{"op":"add","path":"/b","value":2}])", R"({"a":1,"b":2})"},
        patch_case{R"({"a":[1,3]})", R"([{"op":"add","path":"/a/1","value":2}])", R"({"a":[1,2,3]})"},
        patch_case{R"({"a":[1]})", R"([{"op":"add","path":"/a/-","value":2}])", R"({"a":[1,2]})"},
        patch_case{R"({"a":1})", R"([{"op":"add","path":"","value":{"b":1}}])", R"({"b":1})"},
        patch_case{R"({"a":1,"b":2})", R"([{"op":"remove","path":"/a"}])", R"({"b":2})"},
        patch_case{R"({"a":[1,2,3]})", R"([{"op":"remove","path":"/a/1"}])", R"({"a":[1,3]})"},
        patch_case{R"({"a":1})", R"([{"op":"replace","path":"/a","value":null}])", R"({"a":null})"},
        patch_case{R"({"a":{"b":1}})", R"([{"op":"move","from":"/a/b","path":"/c"}])", R"({"a":{},"c":1})"},
        patch_case{R"({"a":{"b":1}})", R"([{"op":"copy","from":"/a","path":"/c"}])",
                   R"({"a":{"b":1},"c":{"b":1}})"},
        patch_case{R"({"a/b":1,"m~n":2})",
                   R"([{"op":"test","path":"/a~1b","value":1},{"op":"replace","path":"/m~0n","value":3}])",
                   R"({"a/b":1,"m~n":3})"},
        patch_case{R"({"~1":1})", R"([{"op":"replace","path":"/~01","value":2}])", R"({"~1":2})"}));

class bad_json_patches : public ::testing::TestWithParam<const char*> {};

TEST_P(bad_json_patches, are_refused) {
  EXPECT_FALSE(json_patched(read(R"({"a":[1,2],"b":{"c":1}})"), read(GetParam())));
}

INSTANTIATE_TEST_SUITE_P(
    all, bad_json_patches,
    ::testing::Values(
        R"({"op":"add"})", R"([1])", R"([{"op":"remove","path":"/x"}])",
        R"([{"op":"test","path":"/a/0","value":2}])", R"([{"op":"add","path":"/a/3","value":1}])",
        R"([{"op":"replace","path":"/a/2","value":1}])", R"([{"op":"add","path":"/x/y","value":1}])",
        R"([{"op":"add","path":"a","value":1}])", R"([{"op":"add","path":"/a"}])",
        R"([{"op":"remove","path":"/a/01"}])", R"([{"op":"remove","path":"/a/-"}])",
        R"([{"op":"remove","path":""}])", R"([{"op":"move","from":"/b","path":"/b/c"}])",
        R"([{"op":"add","path":"/b/c/d","value":1}])", R"([{"op":"none","path":"/a","value":1}])",
        R"([{"path":"/a","value":1}])", R"([{"op":"copy","from":"/x","path":"/y"}])"));

class strategic_patches : public ::testing::TestWithParam<patch_case> {};

TEST_P(strategic_patches, apply) {
  const auto& [base, patch, result] = GetParam();
  EXPECT_EQ(json::to_text(strategic_patched(read(base).as_object(), read(patch).as_object())),
            json::to_text(read(result)));
}

INSTANTIATE_TEST_SUITE_P(
    all, strategic_patches,
    ::testing::Values(
        patch_case{R"({"containers":[{"name":"a","image":"1"},{"name":"b"}]})",
                   R"({"containers":[{"name":"a","image":"2"},{"name":"c"}]})",
                   R"({"containers":[{"name":"a","image":"2"},{"name":"b"},{"name":"c"}]})"},
        patch_case{R"({"containers":[{"name":"a"},{"name":"b"}]})",
                   R"({"containers":[{"$patch":"delete","name":"a"}]})", R"({"containers":[{"name":"b"}]})"},
        patch_case{R"({"containers":[{"name":"a"},{"name":"b"}]})",
                   R"({"containers":[{"$patch":"replace"},{"name":"c"}]})",
                   R"({"containers":[{"name":"c"}]})"},
        patch_case{
            R"({"containers":[{"name":"a"},{"name":"b"}]})",
            R"({"$setElementOrder/containers":[{"name":"b"},{"name":"a"}],"containers":[{"name":"a","image":"2"}]})",
            R"({"containers":[{"name":"b"},{"name":"a","image":"2"}]})"},
        patch_case{R"({"ports":[{"containerPort":1},{"containerPort":2}]})",
                   R"({"ports":[{"containerPort":2,"protocol":"UDP"}]})",
                   R"({"ports":[{"containerPort":1},{"containerPort":2,"protocol":"UDP"}]})"},
        patch_case{R"({"ports":[{"port":1},{"port":2}]})", R"({"ports":[{"port":3}]})",
                   R"({"ports":[{"port":1},{"port":2},{"port":3}]})"},
        patch_case{R"({"args":["a"]})", R"({"args":["b"]})", R"({"args":["b"]})"},
        patch_case{R"({"finalizers":["a"]})", R"({"finalizers":["b","a"]})", R"({"finalizers":["a","b"]})"},
        patch_case{R"({"finalizers":["a","b"]})", R"({"$deleteFromPrimitiveList/finalizers":["a"]})",
                   R"({"finalizers":["b"]})"},
        patch_case{R"({"strategy":{"type":"RollingUpdate","rollingUpdate":{"maxSurge":1}}})",
                   R"({"strategy":{"$retainKeys":["type"],"type":"Recreate"}})",
                   R"({"strategy":{"type":"Recreate"}})"},
        patch_case{R"({"m":{"a":1,"b":2}})", R"({"m":{"$patch":"replace","c":3}})", R"({"m":{"c":3}})"},
        patch_case{R"({"m":{"a":1}})", R"({"m":{"$patch":"delete"}})", R"({"m":{}})"},
        patch_case{R"({"m":{"a":1}})", R"({"m":null})", R"({})"},
        patch_case{R"({})", R"({"containers":[{"name":"a","$patch":"delete"},{"name":"b","image":null}]})",
                   R"({"containers":[{"name":"b"}]})"},
        patch_case{R"({"volumeMounts":[{"mountPath":"/a","name":"x"}]})",
                   R"({"volumeMounts":[{"mountPath":"/a","readOnly":true}]})",
                   R"({"volumeMounts":[{"mountPath":"/a","name":"x","readOnly":true}]})"},
        patch_case{R"({"template":{"metadata":{"annotations":{"a":"1"}}}})",
                   R"({"template":{"metadata":{"annotations":{"restartedAt":"now"}}}})",
                   R"({"template":{"metadata":{"annotations":{"a":"1","restartedAt":"now"}}}})"}));

}  // namespace
}  // namespace egress::dev
