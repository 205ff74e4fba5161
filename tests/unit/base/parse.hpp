#pragma once
// Parses a command line as a test writes it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "runtime/base/options.hpp"

namespace egress::testing {

inline const char* empty_environment(const char*) {
  return nullptr;
}

inline result<command> parse(const std::vector<std::string>& words) {
  return parse_command_line(words, empty_environment);
}

// The options of a command that must be accepted and be a T.
template <class T = run_options>
T parsed(const std::vector<std::string>& words) {
  auto made = parse(words);
  if (!made) {
    ADD_FAILURE() << made.error().message;
    return {};
  }
  if (!std::holds_alternative<T>(*made)) {
    ADD_FAILURE() << "another command, index " << made->index();
    return {};
  }
  return std::get<T>(*std::move(made));
}

// The line that refuses a command line.
inline std::string refusal(const std::vector<std::string>& words) {
  const auto made = parse(words);
  if (made) return "accepted";
  EXPECT_EQ(made.error().message.find('\n'), std::string::npos);
  return made.error().message;
}

}  // namespace egress::testing
