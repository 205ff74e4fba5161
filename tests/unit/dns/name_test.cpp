#include "actors/dns/name.hpp"

#include <gtest/gtest.h>

namespace egress::dns {
namespace {

TEST(name, is_read_lower_cased_and_written_back) {
  for (const auto* text : {"example.com", "EXAMPLE.Com.", "example.com."})
    EXPECT_EQ(to_text(parse_name(text).value().view()), "example.com");
  EXPECT_EQ(parse_name("a.bc.d").value().labels, 3);
  EXPECT_EQ(parse_name("a.bc.d").value().size, 8);
}

TEST(name, that_is_none_is_refused_with_the_reason) {
  const std::string label(64, 'a');
  for (const std::string& text :
       {std::string(), std::string("."), std::string(".."), std::string("a..b"), std::string(".a"),
        label + ".com", std::string("a b.com"), std::string("ex\xc3\xa4mple.com"), std::string("*.a.com"),
        std::string(254, 'a')}) {
    const auto read = parse_name(text);
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.error().message.find('\n'), std::string::npos);
    EXPECT_FALSE(read.error().message.empty());
  }
}

TEST(name, of_the_largest_size_is_read) {
  std::string text;
  for (int i = 0; i < 3; ++i) text += std::string(63, 'a') + ".";
  text += std::string(61, 'b');
  ASSERT_EQ(text.size(), 253u);
  EXPECT_EQ(parse_name(text).value().size, 255);
  EXPECT_FALSE(parse_name(text + "b"));
}

TEST(name, shows_unprintable_bytes_as_numbers) {
  const std::uint8_t odd[] = {4, 'a', '.', 0, 0xff, 0};
  EXPECT_EQ(to_text(odd), "a\\.\\000\\255");
  const std::uint8_t root[] = {0};
  EXPECT_EQ(to_text(root), ".");
}

TEST(name, in_a_message_is_skipped_without_following_pointers) {
  const std::uint8_t message[] = {1, 'a', 0xc0, 0, 9, 1, 'b', 0, 0x80, 3, 'c'};
  EXPECT_EQ(skip_name(message, 0), 4u);
  EXPECT_EQ(skip_name(message, 5), 8u);
  EXPECT_FALSE(skip_name(message, 8));
  EXPECT_FALSE(skip_name(message, 9));
  EXPECT_FALSE(skip_name(message, 11));
  EXPECT_FALSE(plain_name_size(message, 0));
  EXPECT_EQ(plain_name_size(message, 5), 3u);
}

}  // namespace
}  // namespace egress::dns
