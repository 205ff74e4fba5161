#include "runtime/base/give_back.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace egress {
namespace {

TEST(give_back, leaves_no_memory_behind) {
  std::string text(10'000, 'x');
  give_back(text);
  EXPECT_EQ(text, "");
  EXPECT_EQ(text.capacity(), std::string().capacity());
  std::vector<int> numbers(10'000);
  give_back(numbers);
  EXPECT_EQ(numbers.capacity(), 0U);
}

}  // namespace
}  // namespace egress
