#pragma once
// Command-line flags in Go's forms, bound to variables: --flag value, --flag=value, -flag, booleans bare or
// =true. (A library is no help here: CLI11 2.1.2 refuses -flag and --flag=, strips the brackets of [::1], and
// lets a repeatable flag swallow the words behind it.) Pure.

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/result.hpp"

namespace egress {

struct flag {
  std::string name{};         // without dashes; a one-letter name is written -f
  std::string alias{};        // a second name, or ""
  std::string placeholder{};  // "ADDR"; "" for a boolean
  std::string group{};        // heading in the help
  std::string help{};         // one line, lower case
  std::string fallback{};     // the default as text; "" is not shown
  unsigned commands = ~0u;    // bit set of the commands that know it
  // Checks and stores a value. An error says what is wrong with it: flag and value are put before it.
  std::function<result<void>(std::string_view value)> set{};

  bool is_boolean() const { return placeholder.empty(); }
};

class flag_set {
 public:
  void add(flag one) { flags_.push_back(std::move(one)); }
  const std::vector<flag>& all() const { return flags_; }
  // Null for an unknown name.
  const flag* find(std::string_view name) const;

  // Of a word that looks like a flag, when no command has one of that name.
  std::optional<error> complaint_if_unknown(std::string_view word) const;

  // Position of the first word that is neither a flag nor a flag's value; words.size() if there is none.
  std::size_t first_plain_word(const std::vector<std::string>& words) const;

  // Sets the variables; gives back the words that are no flags. `command` has one bit set, `name` is its
  // name.
  result<std::vector<std::string>> parse(const std::vector<std::string>& words, unsigned command,
                                         std::string_view name) const;

 private:
  std::vector<flag> flags_;
};

// "--name" or "-f".
std::string dashed(std::string_view name);

// The candidate that a mistyped word most likely meant; "" when none is near.
std::string_view nearest(std::string_view word, const std::vector<std::string_view>& candidates);

}  // namespace egress
