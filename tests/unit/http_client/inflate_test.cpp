#include "runtime/http/inflate.hpp"

#include <gtest/gtest.h>

#include "tests/support/gzip.hpp"

namespace egress::http {
namespace {

// All of it, in pieces of so many bytes.
result<std::string> inflated(std::string_view compressed, std::size_t piece) {
  inflater by;
  std::string out;
  for (; !compressed.empty(); compressed.remove_prefix(std::min(piece, compressed.size())))
    if (auto fed = by.feed(compressed.substr(0, piece), out); !fed) return std::unexpected(fed.error());
  if (auto whole = by.finish(); !whole) return std::unexpected(whole.error());
  return out;
}

std::string some_text() {
  std::string text;
  for (int i = 0; i < 20'000; ++i) text += std::to_string(i * 7919);
  return text;
}

TEST(inflater, undoes_what_was_compressed_however_it_is_cut) {
  for (const auto& text : {std::string{}, std::string("a"), some_text(), std::string(5'000'000, '\0')}) {
    const auto compressed = test::gzip(text);
    for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, std::size_t{65536}}) {
      const auto got = inflated(compressed, piece);
      ASSERT_TRUE(got) << got.error().message;
      EXPECT_TRUE(*got == text);
    }
  }
  EXPECT_EQ(inflated("", 1), "");
}

TEST(inflater, refuses_every_prefix) {
  const auto compressed = test::gzip("some text, some text");
  for (std::size_t size = 1; size < compressed.size(); ++size) {
    const auto got = inflated(std::string_view(compressed).substr(0, size), 65536);
    ASSERT_FALSE(got) << size;
    EXPECT_EQ(got.error().message, "gzip: the body is cut short");
  }
}

TEST(inflater, refuses_what_follows_the_end) {
  const auto compressed = test::gzip("some text");
  for (const auto& rest : {std::string("x"), std::string(1, '\0'), compressed})
    for (const std::size_t piece : {std::size_t{1}, std::size_t{65536}}) {
      const auto got = inflated(compressed + rest, piece);
      ASSERT_FALSE(got);
      EXPECT_EQ(got.error().message, "gzip: something follows the end of the body");
    }
}

TEST(inflater, notices_every_flipped_bit_behind_the_header) {
  const auto compressed = test::gzip("some text, some text");
  for (std::size_t at = 10; at < compressed.size(); ++at)
    for (unsigned bit = 0; bit < 8; ++bit) {
      auto damaged = compressed;
      damaged[at] = static_cast<char>(static_cast<unsigned char>(damaged[at]) ^ (1U << bit));
      const auto got = inflated(damaged, 65536);
      EXPECT_FALSE(got && *got != "some text, some text") << at << ' ' << bit;
    }
}

TEST(inflater, refuses_what_is_no_gzip) {
  for (const std::string text : {"{}", "\x78\x9c zlib", "\x1f\x8b\x09", "\x1f"})
    EXPECT_FALSE(inflated(text, 1)) << text;
}

}  // namespace
}  // namespace egress::http
