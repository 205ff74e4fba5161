#include "runtime/base/log.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "runtime/base/log_line.hpp"

namespace egress::log {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;

// What `write` put on stderr.
template <class Write>
std::string captured(const log_options& options, Write&& write) {
  configure(options);
  ::testing::internal::CaptureStderr();
  write();
  auto text = ::testing::internal::GetCapturedStderr();
  configure({});
  return text;
}

std::string members(std::string_view message, std::initializer_list<field> fields = {}) {
  return json_members(log_level::info, message, {fields.begin(), fields.size()});
}

std::string line(std::string_view message, std::initializer_list<field> fields = {}) {
  return text_line(log_level::warn, message, {fields.begin(), fields.size()});
}

TEST(Log, AJsonRecordIsOneLineWithTimeLevelMessageAndFields) {
  const auto text = captured({}, [] { info("reconciled", {{"name", "web"}, {"took_ms", 3}, {"ok", true}}); });
  EXPECT_THAT(text,
              MatchesRegex(R"(\{"ts":"[0-9]+-[0-9]+-[0-9]+T[0-9]+:[0-9]+:[0-9]+\.[0-9]+Z","level":"info",)"
                           R"("msg":"reconciled","name":"web","took_ms":3,"ok":true\})"
                           "\n"));
}

TEST(Log, ATextRecordIsOneLine) {
  const auto text =
      captured({log_format::text, log_level::info}, [] { warn("slow", {{"ms", 5}, {"why", "a b"}}); });
  EXPECT_THAT(text, MatchesRegex("[-0-9]+T[:.0-9]+Z WARN  slow ms=5 why=\"a b\"\n"));
}

TEST(Log, RecordsBelowTheLevelAreDropped) {
  const auto text = captured({log_format::json, log_level::warn}, [] {
    debug("one");
    info("two");
    warn("three");
    error("four");
  });
  EXPECT_EQ(text.find("one"), std::string::npos);
  EXPECT_EQ(text.find("two"), std::string::npos);
  EXPECT_THAT(text, HasSubstr("three"));
  EXPECT_THAT(text, HasSubstr(R"("level":"error","msg":"four")"));
}

TEST(Log, ThreadsNeverShareALine) {
  const auto text = captured({log_format::text, log_level::info}, [] {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i)
      threads.emplace_back([] {
        for (int j = 0; j < 50; ++j) info("0123456789", {{"k", "v"}});
      });
  });
  std::size_t lines = 0;
  for (std::size_t at = 0, end = 0; (end = text.find('\n', at)) != std::string::npos; at = end + 1, ++lines)
    EXPECT_TRUE(text.substr(at, end - at).ends_with("Z INFO  0123456789 k=v"));
  EXPECT_EQ(lines, 200U);
}

TEST(LogLine, QuotesBackslashesAndControlCharactersAreEscaped) {
  EXPECT_EQ(members("a\"b\\c\nd\re\tf\x01g\x7f"), R"("level":"info","msg":"a\"b\\c\nd\re\tf\u0001g\u007f")");
  EXPECT_EQ(members("m", {{"k\n", std::string_view("\0x", 2)}}),
            R"("level":"info","msg":"m","k\n":"\u0000x")");
  EXPECT_EQ(line("a\nb", {{"k", "c\x1b[31m"}}), R"(WARN  a\nb k="c\u001b[31m")");
}

TEST(LogLine, UnicodeStaysAndBrokenBytesBecomeTheReplacementCharacter) {
  const std::string r = "\xEF\xBF\xBD";
  const auto escaped = [](std::string_view text) {
    std::string out;
    append_escaped(out, text);
    return out;
  };
  EXPECT_EQ(escaped("gr\xC3\xBC\xC3\x9F \xE2\x82\xAC \xF0\x9F\x98\x80"),
            "gr\xC3\xBC\xC3\x9F \xE2\x82\xAC \xF0\x9F\x98\x80");
  EXPECT_EQ(escaped("\x80"), r);                          // a continuation alone
  EXPECT_EQ(escaped("a\xC3"), "a" + r);                   // cut short
  EXPECT_EQ(escaped("\xC0\xAF"), r + r);                  // overlong
  EXPECT_EQ(escaped("\xE0\x80\xAF"), r + r + r);          // overlong
  EXPECT_EQ(escaped("\xED\xA0\x80"), r + r + r);          // a surrogate
  EXPECT_EQ(escaped("\xF4\x90\x80\x80"), r + r + r + r);  // beyond U+10FFFF
  EXPECT_EQ(escaped("\xFFok"), r + "ok");
}

TEST(LogLine, OnlyNumbersAndBooleansAreBareInJson) {
  EXPECT_EQ(
      members("m", {{"n", -7}, {"u", 7UL}, {"b", false}, {"c", 'x'}, {"d", 0.5}, {"s", std::string("7")}}),
      R"("level":"info","msg":"m","n":-7,"u":7,"b":false,"c":"x","d":"0.5","s":"7")");
}

TEST(LogLine, TextValuesAreQuotedWhenTheyWouldBeMisread) {
  EXPECT_EQ(line("m", {{"a", ""}, {"b", "x=y"}, {"c", "say \"hi\""}, {"d", "p:80"}}),
            R"(WARN  m a="" b="x=y" c="say \"hi\"" d=p:80)");
}

}  // namespace
}  // namespace egress::log
