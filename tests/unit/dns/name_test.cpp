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

TEST(name, expands_compressed_names_and_follows_no_pointer_forward) {
  const std::vector<std::uint8_t> message{1, 'B', 0, 1, 'a', 0xc0, 0, 0xc0, 3, 0xc0, 9, 0xc0, 40, 64};
  wire_name name;
  ASSERT_TRUE(expand_name(message, 3, name));
  EXPECT_EQ(to_text(name.view()), "a.b");
  EXPECT_EQ(name.labels, 2);
  ASSERT_TRUE(expand_name(message, 7, name));
  EXPECT_EQ(to_text(name.view()), "a.b");
  for (const std::size_t wrong : {9u, 11u, 13u, 14u})
    EXPECT_FALSE(expand_name(message, wrong, name)) << wrong;
  // Pointers to pointers: 64 are followed.
  std::vector<std::uint8_t> steps{0};
  for (std::size_t i = 0; i < 65; ++i) {
    const std::size_t target = i == 0 ? 0 : 1 + 2 * (i - 1);
    steps.insert(steps.end(), {0xc0, static_cast<std::uint8_t>(target)});
  }
  EXPECT_TRUE(expand_name(steps, steps.size() - 4, name));
  EXPECT_FALSE(expand_name(steps, steps.size() - 2, name));
  // Labels that come again and again by a pointer do not make a name longer than 255.
  std::vector<std::uint8_t> large(64, 63);
  for (std::uint8_t i = 0; i < 4; ++i) large.insert(large.end(), large.begin(), large.begin() + 64);
  large.push_back(0);
  EXPECT_FALSE(expand_name(large, 0, name));
  EXPECT_TRUE(expand_name(large, 128, name));
}

TEST(name, knows_what_is_below_what) {
  const auto of = [](const char* text) { return parse_name(text).value(); };
  EXPECT_TRUE(is_at_or_below(of("a.b.org"), of("b.org")));
  EXPECT_TRUE(is_at_or_below(of("b.org"), of("B.org")));
  EXPECT_FALSE(is_at_or_below(of("ab.org"), of("b.org")));
  EXPECT_FALSE(is_at_or_below(of("org"), of("b.org")));
  EXPECT_TRUE(same_name(of("b.org"), of("B.ORG")));
}

}  // namespace
}  // namespace egress::dns
