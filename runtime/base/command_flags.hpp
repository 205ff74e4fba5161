#pragma once
// Which flags and commands there are, what they are bound to, and the help text made from that. Pure.

#include <array>
#include <string>
#include <string_view>

#include "runtime/base/flags.hpp"
#include "runtime/base/options.hpp"

namespace egress {

enum command_bit : unsigned { run_bit = 1, dev_bit = 2, render_bit = 4, validate_bit = 8, version_bit = 16 };

struct command_info {
  std::string_view name, summary, usage;
  command_bit bit;
  std::string_view description;  // paragraphs of the command's help, with examples
};

extern const std::array<command_info, 5> commands;

// Null for an unknown name.
const command_info* find_command(std::string_view name);

// Every command's variables in one place; parse_command_line moves out what the command has.
struct all_options {
  run_options run;
  std::vector<std::string> files;
  bool as_json = false;
  dev_options dev;
  bool help = false;
};

// The flags of all commands, bound to `into`, which must outlive them and stay where it is.
flag_set bind_flags(all_options& into);

// What `egress-operator COMMAND --help` prints, from flags whose variables still have their defaults.
std::string help_of(const command_info& which, const flag_set& flags);
// What `egress-operator --help` prints: the commands, then all about run.
std::string overview(const flag_set& flags);

}  // namespace egress
