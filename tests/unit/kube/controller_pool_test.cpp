#include "runtime/kube/controller_pool.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace egress::kube {
namespace {

controller_ref owner(const std::string& uid) {
  return {"egress.monzo.com/v1", "ExternalService", "a", uid, true};
}

TEST(controller_pool, keeps_equal_ones_once) {
  controller_pool pool;
  const auto first = pool.shared(owner("u")), second = pool.shared(owner("u"));
  EXPECT_EQ(&*first, &*second);
  EXPECT_EQ(*first, owner("u"));
}

TEST(controller_pool, tells_apart_what_differs_in_any_field) {
  controller_pool pool;
  const auto first = pool.shared(owner("u"));
  auto other = owner("u");
  other.block_owner_deletion = false;
  EXPECT_EQ(*pool.shared(other), other);
  EXPECT_EQ(*first, owner("u")) << "what was given before stays what it was";
  EXPECT_NE(first, pool.shared(owner("v")));
}

TEST(controller_pool, forgets_those_that_nobody_has) {
  controller_pool pool;
  std::vector<maybe_controller> kept;
  for (int i = 0; i < 10'000; ++i) {
    auto one = pool.shared(owner(std::to_string(i)));
    if (i < 100) kept.push_back(one);
  }
  EXPECT_LT(pool.size(), 300U);
  EXPECT_EQ(&*pool.shared(owner("7")), &*kept[7]);
}

}  // namespace
}  // namespace egress::kube
