#include "actors/reconciler/growing_hash.hpp"

#include <gtest/gtest.h>

namespace egress {
namespace {

std::uint32_t hash_of(std::string_view text) {
  growing_hash hash;
  hash.follow(text);
  return hash.value();
}

TEST(growing_hash, is_fnv_1a) {
  EXPECT_EQ(growing_hash{}.value(), 0x811c9dc5U);
  EXPECT_EQ(hash_of("a"), 0xe40c292cU);
  EXPECT_EQ(hash_of("foobar"), 0xbf9cf968U);
  EXPECT_EQ(hash_of("\xff"), (0x811c9dc5U ^ 0xffU) * 16777619U);
}

TEST(growing_hash, is_the_same_in_whatever_steps_the_text_came) {
  growing_hash hash;
  for (const auto* so_far : {"", "f", "foo", "foo", "foobar"}) hash.follow(so_far);
  EXPECT_EQ(hash.value(), hash_of("foobar"));
}

}  // namespace
}  // namespace egress
