#include "runtime/kube/field_meaning.hpp"

#include <gtest/gtest.h>

namespace egress::kube {
namespace {

TEST(field_meaning, an_empty_selector_selects_all_and_other_empty_objects_nothing) {
  for (const auto* name : {"podSelector", "namespaceSelector", "labelSelector", "selector", "emptyDir"})
    EXPECT_TRUE(empty_says_something(name)) << name;
  for (const auto* name : {"securityContext", "labels", "resources", ""})
    EXPECT_FALSE(empty_says_something(name)) << name;
}

TEST(field_meaning, quantities_are_known_by_their_field_or_by_their_map) {
  EXPECT_TRUE(is_quantity({"cpu", "requests"}));
  EXPECT_TRUE(is_quantity({"example.com/gpu", "limits"}));
  EXPECT_TRUE(is_quantity({"sizeLimit", "emptyDir"}));
  EXPECT_TRUE(is_quantity({"divisor", "resourceFieldRef"}));
  EXPECT_FALSE(is_quantity({"cpu", "metadata"}));
}

TEST(field_meaning, a_label_that_is_called_like_a_quantity_is_none) {
  for (const auto* map : {"labels", "annotations", "matchLabels", "nodeSelector", "data"}) {
    EXPECT_TRUE(keys_are_chosen(map)) << map;
    EXPECT_FALSE(is_quantity({"sizeLimit", map})) << map;
  }
  EXPECT_FALSE(keys_are_chosen("spec"));
}

}  // namespace
}  // namespace egress::kube
