#include "runtime/kube/condition_list.hpp"

#include <gtest/gtest.h>

namespace egress::kube {
namespace {

using namespace std::string_literals;

const condition ready{"Ready", "True", "Fine", "all is \0 well"s, "2026-01-01T00:00:00Z", 3};
const condition bare{"Accepted", "", "", "", "", -1};

TEST(condition_list, gives_back_what_it_was_given) {
  const condition large{"Large", "False", "Told", std::string(70'000, 'x'), "t", 1L << 40};
  const condition_list two{ready, bare}, none, long_one{large, ready};
  EXPECT_EQ(two.all(), (std::vector<condition_view>{ready, bare}));
  EXPECT_EQ(none.all(), std::vector<condition_view>{});
  EXPECT_EQ(long_one.all(), (std::vector<condition_view>{large, ready}));
}

TEST(condition_list, finds_the_first_of_a_type) {
  auto later = ready;
  later.status = "False";
  const condition_list list{bare, ready, later};
  EXPECT_EQ(list.find("Ready"), ready);
  EXPECT_EQ(list.find("Accepted"), bare);
  EXPECT_EQ(list.find("Fine"), std::nullopt);
  const condition_list none;
  EXPECT_EQ(none.find(""), std::nullopt);
}

TEST(condition_list, differs_by_any_field_and_by_order) {
  const condition_list list{ready, bare};
  EXPECT_EQ(list, (condition_list{ready, bare}));
  EXPECT_NE(list, (condition_list{bare, ready}));
  EXPECT_NE(list, (condition_list{ready}));
  auto other = ready;
  other.observed_generation = 4;
  EXPECT_NE(list, (condition_list{other, bare}));
  other = ready;
  other.status = "TrueF", other.reason = "ine";  // the same letters
  EXPECT_NE(list, (condition_list{other, bare}));
}

}  // namespace
}  // namespace egress::kube
