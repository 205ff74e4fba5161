#include "actors/reconciler/ineffective.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/reconciler/fixtures.hpp"

namespace egress::reconciler {
namespace {

using ::testing::IsEmpty;
using testing::tree;

// What is written to `live` to have `wanted` there, but for what is known not to change.
json::object patch(const json::object& live, const json::object& wanted, const ineffective_fields& alone) {
  return merge_patch(live, leaving(wanted, live, alone));
}

TEST(Leaving, TakesWhatCannotBeWrittenFromLive) {
  const auto live = tree(R"({"spec":{"list":[{"a":1},{"a":2,"d/~":true}],"x":1,"y":2}})");
  const auto wanted = tree(R"({"spec":{"list":[{"a":1},{"a":3}],"x":5,"z":9}})");
  EXPECT_THAT(patch(live, wanted, unchanged(differing_paths(live, wanted), wanted, live)), IsEmpty());
  const auto all_but_x =
      unchanged({"/spec/list/1/a", "/spec/list/1/d~1~0", "/spec/z", "/spec/y"}, wanted, live);
  EXPECT_EQ(patch(live, wanted, all_but_x), tree(R"({"spec":{"x":5}})"));
}

TEST(Leaving, PathsThatNoLongerLeadAnywhereAreIgnored) {
  const auto live = tree(R"({"spec":{"list":[1]}})");
  const auto wanted = tree(R"({"spec":{"list":[1,2]}})");
  for (const auto* path :
       {"/spec/list/7", "/spec/list/x", "/spec/list/", "/spec/none/deeper", "/spec/list/0/q"})
    EXPECT_EQ(leaving(wanted, live, unchanged({path}, wanted, live)), wanted) << path;
  EXPECT_EQ(leaving(wanted, live, unchanged({""}, wanted, live)), live);
}

// A webhook writes its own registry into images, and follows when another version is wanted.
TEST(Leaving, ANewWishIsWrittenThoughTheOldOneWasNot) {
  const auto image = [](const std::string& name) {
    return tree(R"({"spec":{"containers":[{"image":")" + name + R"("}]}})");
  };
  const auto before = image("envoy:1"), now = image("envoy:2");
  const auto mirrored_before = image("mirror/envoy:1"), mirrored_now = image("mirror/envoy:2");
  auto known = unchanged(differing_paths(mirrored_before, before), before, mirrored_before);
  EXPECT_THAT(patch(mirrored_before, before, known), IsEmpty());
  EXPECT_EQ(patch(mirrored_before, now, known), now);

  // One gateway has it already, and the next one not yet.
  known.merge(unchanged(differing_paths(mirrored_now, now), now, mirrored_now));
  EXPECT_THAT(patch(mirrored_now, now, known), IsEmpty());
  EXPECT_EQ(patch(mirrored_before, now, known), now);
}

// What is left of a parent that somebody took away is put back.
TEST(Leaving, AFieldThatIsTakenOutTakesNoSiblingWithIt) {
  const auto wanted = tree(R"({"spec":{"limits":{"cpu":1,"memory":2}}})");
  const auto live = tree(R"({"spec":{"limits":{"memory":2}}})");
  const auto known = unchanged({"/spec/limits/cpu"}, wanted, live);
  EXPECT_THAT(patch(live, wanted, known), IsEmpty());
  EXPECT_EQ(patch(tree(R"({"spec":{}})"), wanted, known), tree(R"({"spec":{"limits":{"memory":2}}})"));
  EXPECT_EQ(patch(tree("{}"), wanted, known), tree(R"({"spec":{"limits":{"memory":2}}})"));
  const auto alone = tree(R"({"spec":{"limits":{"cpu":1}}})");
  EXPECT_THAT(patch(tree(R"({"spec":{}})"), alone, known), IsEmpty());
}

TEST(Leaving, WhatSomebodyElseMadeOfItIsPutRight) {
  const auto wanted = tree(R"({"spec":{"x":1}})"), stays = tree(R"({"spec":{"x":2}})");
  const auto known = unchanged({"/spec/x"}, wanted, stays);
  EXPECT_THAT(patch(stays, wanted, known), IsEmpty());
  EXPECT_EQ(patch(tree(R"({"spec":{"x":3}})"), wanted, known), wanted);
  EXPECT_EQ(patch(tree(R"({"spec":{}})"), wanted, known), wanted);
}

TEST(Remember, AFieldIsNewOnceAndItsValuesAreBounded) {
  ineffective_fields known;
  const auto of_x = [](std::uint8_t value) { return ineffective_field{"/x", {value}, {}}; };
  EXPECT_TRUE(remember(known, of_x(1)));
  EXPECT_FALSE(remember(known, of_x(1)));
  for (std::uint8_t value = 2; value < 100; ++value) {
    EXPECT_FALSE(remember(known, of_x(value)));
    EXPECT_TRUE(known.contains(of_x(value))) << "the latest";
  }
  EXPECT_FALSE(remember(known, of_x(99))) << "heard of by two runs";
  EXPECT_EQ(known.size(), values_of_a_field);
  EXPECT_TRUE(remember(known, {"/x/y", {1}, {}}));
  EXPECT_TRUE(remember(known, {"/w", {1}, {}}));
  EXPECT_FALSE(remember(known, {"/w", {2}, {}}));
  for (std::size_t i = 0; i < 2 * fields_of_a_kind; ++i) remember(known, {"/" + std::to_string(i), {}, {}});
  EXPECT_EQ(known.size(), fields_of_a_kind);
  EXPECT_FALSE(remember(known, {"/one/more", {}, {}})) << "nothing is said of what is not remembered";
}

}  // namespace
}  // namespace egress::reconciler
