#include <algorithm>

#include "runtime/base/command_flags.hpp"
#include "runtime/base/environment.hpp"

namespace egress {
namespace {

constexpr std::size_t column = 36;  // where the explanations begin

std::string line(std::string_view left, std::string_view right) {
  if (left.size() + 3 > column) return fmt::format("  {}\n{:{}}{}\n", left, "", column, right);
  return fmt::format("  {:<{}}{}\n", left, column - 2, right);
}

std::string flag_line(const flag& one) {
  std::string left = dashed(one.name);
  if (!one.alias.empty()) left += ", " + dashed(one.alias);
  if (!one.is_boolean()) left += " " + one.placeholder;
  const auto fallback = one.fallback.empty() ? "" : fmt::format(" (default: {})", one.fallback);
  return line(left, one.help + fallback);
}

std::string flags_of(command_bit bit, const flag_set& flags) {
  std::string text, group;
  for (const auto& one : flags.all()) {
    if (!(one.commands & bit)) continue;
    if (one.group != group) text += fmt::format("\n{}:\n", one.group);
    group = one.group;
    text += flag_line(one);
  }
  return text;
}

std::string environment_section() {
  std::string text = "\nEnvironment variables (flags win over them):\n";
  for (const auto& variable : environment_help()) text += line(variable.name, variable.meaning);
  return text;
}

std::string flags_and_environment(const command_info& which, const flag_set& flags) {
  auto text = flags_of(which.bit, flags);
  if (which.bit != version_bit) text += environment_section();
  return text + "\nFlags are written --flag VALUE, --flag=VALUE or -flag VALUE.\n";
}

}  // namespace

std::string help_of(const command_info& which, const flag_set& flags) {
  return fmt::format("egress-operator {}: {}\n\nUsage: egress-operator {}\n\n{}{}", which.name, which.summary,
                     which.usage, which.description, flags_and_environment(which, flags));
}

std::string overview(const flag_set& flags) {
  std::string text =
      "egress-operator: gateways to the outside for Kubernetes, and the DNS that leads to them\n\n"
      "Usage: egress-operator [COMMAND] [flags]\n\nCommands:\n";
  for (const auto& one : commands) text += line(one.name, one.summary);
  text += "\n`egress-operator COMMAND --help` explains one command. Without a command it is run:\n\n";
  const auto& run = commands.front();
  return text + std::string(run.description) + flags_and_environment(run, flags);
}

}  // namespace egress
