#include "runtime/kube/json_marks.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>

namespace egress::json {
namespace {

std::size_t by_hand(std::string_view bytes, std::string_view marks, std::size_t at) {
  return std::min(bytes.find_first_of(marks, at), bytes.size());
}

// Every byte value beside every other, at each place of a word: also those that differ from a mark in one
// bit.
TEST(json_marks, are_where_a_search_byte_by_byte_finds_them) {
  std::mt19937 random{7};
  std::string bytes(20'000, ' ');
  for (auto& one : bytes) one = static_cast<char>(random());
  for (std::size_t at = 0; at <= bytes.size(); ++at) {
    ASSERT_EQ(string_mark(bytes, at), by_hand(bytes, "\"\\", at)) << at;
    ASSERT_EQ(structure_mark(bytes, at), by_hand(bytes, "\"{}[]", at)) << at;
  }
}

TEST(json_marks, the_first_of_several_in_a_word) {
  for (std::size_t first = 0; first < 24; ++first)
    for (std::size_t second = first + 1; second < 24; ++second) {
      std::string bytes(24, '!');  // one bit from a quote
      bytes[second] = '"';
      bytes[first] = '\\';
      EXPECT_EQ(string_mark(bytes, 0), first);
      EXPECT_EQ(string_mark(bytes, first + 1), second);
    }
}

TEST(json_marks, none_is_the_end) {
  const std::string none(31, 'x');
  for (std::size_t at = 0; at <= none.size(); ++at) {
    EXPECT_EQ(string_mark(none, at), none.size());
    EXPECT_EQ(structure_mark(none, at), none.size());
  }
}

}  // namespace
}  // namespace egress::json
