#include <sstream>

#include "runtime/base/command_flags.hpp"
#include "tests/unit/base/parse.hpp"

namespace egress::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string help(const std::vector<std::string>& words) {
  return parsed<help_options>(words).text;
}

TEST(Help, TheOverviewListsTheCommandsAndTheFlagsOfRun) {
  const auto text = help({"--help"});
  for (const auto& one : commands) EXPECT_THAT(text, HasSubstr(fmt::format("  {} ", one.name)));
  EXPECT_THAT(text, HasSubstr("--metrics-addr ADDR"));
  EXPECT_EQ(help({"-h"}), text);
  EXPECT_EQ(help({"help"}), text);
}

TEST(Help, EachCommandListsEveryFlagItTakesAndNoOther) {
  all_options options;
  const auto flags = bind_flags(options);
  for (const auto& one : commands) {
    const auto text = help({std::string(one.name), "--help"});
    EXPECT_EQ(help({"help", std::string(one.name)}), text);
    EXPECT_EQ(help({"--help", std::string(one.name)}), text);
    for (const auto& known : flags.all()) {
      const auto begins = "\n  " + dashed(known.name) + (known.alias.empty() ? "" : ", ");
      if (known.commands & one.bit)
        EXPECT_THAT(text, HasSubstr(begins));
      else
        EXPECT_THAT(text, Not(HasSubstr(begins + " ")));
    }
  }
}

TEST(Help, DefaultsAndEnvironmentVariablesAreShown) {
  const auto text = help({"run", "--help"});
  EXPECT_THAT(text, HasSubstr("(default: egress-operator-system)"));
  EXPECT_THAT(text, HasSubstr("(default: 16)"));
  EXPECT_THAT(text, HasSubstr("(default: 30s)"));
  EXPECT_THAT(text, HasSubstr("(default: false)"));
  EXPECT_THAT(text, HasSubstr("ENVOY_IMAGE"));
}

// Bound defaults, those written by hand and those parsed are the same.
TEST(Help, TheDefaultsShownAreThoseUsed) {
  all_options options;
  const auto flags = bind_flags(options);
  const auto before = help_of(commands[1], flags);
  for (const auto& known : flags.all())
    if (!known.fallback.empty()) EXPECT_TRUE(known.set(known.fallback)) << known.name;
  EXPECT_EQ(options.run.gateways.profile, gateway_settings{}.profile);
  EXPECT_EQ(options.run.log.format, log_options{}.format);
  EXPECT_EQ(options.run.log.level, log_options{}.level);
  all_options again;
  again.run = options.run;
  again.dev = options.dev;
  EXPECT_EQ(help_of(commands[1], bind_flags(again)), before);
}

TEST(Help, NoLineIsWiderThanATerminal) {
  for (const auto& one : commands) {
    std::istringstream lines{help({std::string(one.name), "--help"})};
    for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 132U) << line;
  }
}

TEST(Help, AnErrorBeforeHelpIsStillAnError) {
  EXPECT_EQ(refusal({"dev", "--nonsense-flag", "--help"}),
            "unknown flag --nonsense-flag: `egress-operator dev --help` lists them all");
}

}  // namespace
}  // namespace egress::testing
