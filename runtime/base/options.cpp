#include "runtime/base/options.hpp"

#include "runtime/base/command_flags.hpp"

namespace egress {
namespace {

// Which command the words are for, and the words without its name.
struct chosen {
  const command_info* which = nullptr;  // null: help about all of them
  std::vector<std::string> rest;
};

result<chosen> unknown_command(std::string_view word) {
  std::vector<std::string_view> names;
  for (const auto& one : commands) names.push_back(one.name);
  const auto close = nearest(word, names);
  if (!close.empty()) return fail("unknown command \"{}\": did you mean {}?", word, close);
  return fail("unknown command \"{}\": `egress-operator --help` lists them", word);
}

// `help`, `help COMMAND`, and --version, which people try first.
result<chosen> choose(const std::vector<std::string>& words, const flag_set& flags) {
  if (words.size() == 1 && (words[0] == "--version" || words[0] == "-version"))
    return chosen{find_command("version"), {}};
  chosen made{find_command("run"), words};
  const auto at = flags.first_plain_word(words);
  if (at == words.size()) return made;
  made.rest.erase(made.rest.begin() + static_cast<std::ptrdiff_t>(at));
  if (words[at] != "help") {
    made.which = find_command(words[at]);
    if (made.which) return made;
    // The word behind a flag that we do not know is perhaps its value: the flag is what is wrong.
    if (at > 0)
      if (auto unknown = flags.complaint_if_unknown(words[at - 1]))
        return std::unexpected(*std::move(unknown));
    // A bool flag takes no second word: --enable-leader-election false.
    if (at > 0 && (words[at] == "true" || words[at] == "false"))
      return fail("unexpected word \"{}\": a switch is written {}={}", words[at], words[at - 1], words[at]);
    return unknown_command(words[at]);
  }
  made.which = nullptr;
  if (at + 1 == words.size()) return made;
  const auto* about = find_command(words[at + 1]);
  if (!about) return unknown_command(words[at + 1]);
  return chosen{about, {"--help"}};
}

// Words behind -f FILE are more files: the shell made them from a pattern.
result<void> take_files(std::vector<std::string> plain, const command_info& which, all_options& options) {
  if (plain.empty()) return {};
  constexpr unsigned takes_files = dev_bit | render_bit | validate_bit;
  if (!(which.bit & takes_files)) return fail("unexpected word \"{}\" after `{}`", plain.front(), which.name);
  if (options.files.empty())
    return fail("unexpected word \"{}\": files are given as -f {}", plain.front(), plain.front());
  options.files.insert(options.files.end(), plain.begin(), plain.end());
  return {};
}

result<command> as_command(command_bit bit, all_options options) {
  if (bit == version_bit) return version_options{};
  if (bit == run_bit) return std::move(options.run);
  if (bit == dev_bit) {
    options.dev.run = std::move(options.run);
    options.dev.files = std::move(options.files);
    return std::move(options.dev);
  }
  if (options.files.empty())
    return fail("`{}` needs -f FILE: what to read (- is stdin)", bit == render_bit ? "render" : "validate");
  if (bit == render_bit)
    return render_options{std::move(options.run), std::move(options.files), options.as_json};
  return validate_options{std::move(options.run), std::move(options.files)};
}

}  // namespace

result<command> parse_command_line(const std::vector<std::string>& words, environment_lookup environment) {
  all_options options;
  const auto flags = bind_flags(options);
  auto picked = choose(words, flags);
  if (!picked) return std::unexpected(picked.error());
  const auto* which = picked->which;
  const bool about_all = !which || (words.size() == picked->rest.size() && which->bit == run_bit);
  const auto help = about_all ? overview(flags) : help_of(*which, flags);
  if (!which) return help_options{help};

  auto plain = flags.parse(picked->rest, which->bit, which->name);
  if (!plain) return std::unexpected(plain.error());
  if (options.help) return help_options{help};
  if (auto taken = take_files(std::move(*plain), *which, options); !taken)
    return std::unexpected(taken.error());
  if (which->bit != version_bit)
    if (auto applied = apply_environment(environment, options.run.gateways); !applied)
      return std::unexpected(applied.error());
  return as_command(which->bit, std::move(options));
}

}  // namespace egress
