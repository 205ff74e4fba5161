#include "actors/dns/message_writer.hpp"

#include <gtest/gtest.h>

#include "actors/dns/wire.hpp"
#include "tests/unit/dns/reply_reader.hpp"
#include "tests/unit/dns/support.hpp"

namespace egress::dns {
namespace {

using enum message_writer::section;

std::vector<std::uint8_t> wire(std::string_view name) {
  const auto parsed = parse_name(name).value();
  return {parsed.view().begin(), parsed.view().end()};
}

message_writer about(std::string_view name, std::uint16_t type = rr::mx) {
  return {7, flag::qr, wire(name), type, rr::class_in};
}

std::string bytes_of(const std::optional<std::vector<std::uint8_t>>& message) {
  return message ? std::string(message->begin(), message->end()) : "too long";
}

TEST(message_writer, shortens_what_ends_like_the_question) {
  auto to = about("a.example.com");
  to.begin_record(answer, wire("a.example.com"), rr::mx, 1, 0x01020304);
  to.add_data(std::vector<std::uint8_t>{0, 5});
  to.add_name(wire("mx.EXAMPLE.com"));
  to.begin_record(authority, wire("com"), rr::ns, 1, 1);
  to.add_name(wire("other.org"));
  to.begin_record(additional, wire("xa.example.com"), rr::txt, 1, 1);
  using namespace std::string_literals;
  EXPECT_EQ(bytes_of(std::move(to).finish()),
            "\0\7\x80\0\0\1\0\1\0\1\0\1"s
            "\1a\7example\3com\0\0\xf\0\1"s
            "\xc0\x0c\0\xf\0\1\1\2\3\4\0\7\0\5\2mx\xc0\x0e"s
            "\xc0\x16\0\2\0\1\0\0\0\1\0\xb\5other\3org\0"s
            "\2xa\xc0\x0e\0\x10\0\1\0\0\0\1\0\0"s);
}

TEST(message_writer, points_at_the_owner_of_the_record_before) {
  auto to = about("a.com", rr::a);
  for (int i = 0; i < 3; ++i) {
    to.begin_record(answer, wire("cdn.net"), rr::a, 1, 1);
    to.add_data(std::vector<std::uint8_t>{1, 2, 3, 4});
  }
  to.begin_record(answer, wire("a.com"), rr::a, 1, 1);
  to.begin_record(answer, wire("cdn.net"), rr::a, 1, 1);
  using namespace std::string_literals;
  const auto record = "\0\1\0\1\0\0\0\1\0\4\1\2\3\4"s, none = "\0\1\0\1\0\0\0\1\0\0"s;
  EXPECT_EQ(bytes_of(std::move(to).finish()), "\0\7\x80\0\0\1\0\5\0\0\0\0\1a\3com\0\0\1\0\1\3cdn\3net\0"s +
                                                  record + "\xc0\x17"s + record + "\xc0\x17"s + record +
                                                  "\xc0\x0c"s + none + "\xc0\x17"s + none);
}

TEST(message_writer, leaves_names_whole_that_other_servers_must_read_so) {
  auto to = about("a.com", rr::srv);
  to.begin_record(answer, wire("a.com"), rr::srv, 1, 1);
  to.add_name(wire("b.a.com"));
  EXPECT_TRUE(bytes_of(std::move(to).finish()).ends_with(std::string("\1b\1a\3com\0", 9)));
}

TEST(message_writer, shortens_nothing_within_a_label) {
  auto to = about("a.com");
  to.begin_record(answer, wire("xa.com"), rr::mx, 1, 1);
  to.add_name(std::vector<std::uint8_t>{0});
  const auto made = bytes_of(std::move(to).finish());
  EXPECT_TRUE(made.contains("\2xa\xc0\x0e")) << "com alone";
  EXPECT_TRUE(made.ends_with(std::string("\0\1\0", 3))) << "the root is a byte";
}

TEST(message_writer, says_when_it_is_longer_than_a_message) {
  for (const std::size_t size : {65'000U, 65'600U}) {
    auto to = about("a.com");
    to.begin_record(answer, wire("a.com"), rr::txt, 1, 1);
    to.add_data(std::vector<std::uint8_t>(size));
    EXPECT_EQ(std::move(to).finish().has_value(), size < 65'536U);
  }
}

// ldns takes it two seconds to write this: it walks along both names for each of the comparisons by which it
// looks for each suffix.
class re_own_long : public ::testing::TestWithParam<std::string> {};

TEST_P(re_own_long, names_is_what_came) {
  const std::string asked = GetParam();
  std::string tail;
  for (int i = 0; i < 66; ++i) tail += std::string(".") + static_cast<char>('a' + i % 26);
  auto from = about(asked);
  for (int i = 0; i < 100; ++i) {
    std::string name;
    for (int j = 0; j < 58; ++j) name += std::string(1, static_cast<char>('a' + (i * 7 + j * 3) % 26)) + ".";
    name.pop_back();
    from.begin_record(answer, wire(asked), rr::mx, 1, 60);
    from.add_data(std::vector<std::uint8_t>{0, 5});
    from.add_name(wire(name + tail));
  }
  const auto reply = std::move(from).finish();
  ASSERT_TRUE(reply);
  for (int i = 0; i < 50; ++i) {
    const auto owned = re_own(*reply, 30);
    ASSERT_TRUE(owned);
    EXPECT_FALSE(owned->changed);
    EXPECT_EQ(owned->answers, 100U);
    EXPECT_EQ(owned->message, *reply);
  }
}

std::string of_labels(int count) {
  std::string name = "a";
  for (int i = 1; i < count; ++i) name += ".b";
  return name;
}
INSTANTIATE_TEST_SUITE_P(asked, re_own_long, ::testing::Values("mail.example", of_labels(124)));

// To ldns each of its texts takes as much as all: 256 MiB of pages, for each query.
TEST(re_own, of_a_record_of_empty_texts_is_refused) {
  const auto of_texts = [](std::size_t texts, std::size_t size) {
    auto from = about("a.com", rr::txt);
    from.begin_record(answer, wire("a.com"), rr::txt, 1, 60);
    for (std::size_t i = 0; i < texts; ++i) {
      std::vector<std::uint8_t> text(size + 1, 'x');
      text[0] = static_cast<std::uint8_t>(size);
      from.add_data(text);
    }
    return re_own(std::move(from).finish().value(), 30).has_value();
  };
  EXPECT_FALSE(of_texts(65'000, 0));
  EXPECT_FALSE(of_texts(3'000, 0));
  EXPECT_TRUE(of_texts(2'000, 0));
  EXPECT_TRUE(of_texts(180, 255));
}

}  // namespace
}  // namespace egress::dns
