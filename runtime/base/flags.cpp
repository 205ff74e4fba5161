#include "runtime/base/flags.hpp"

#include <algorithm>
#include <numeric>
#include <optional>

namespace egress {
namespace {

// --name=value or -name or --name, taken apart; nothing for a plain word. "-" alone is a plain word (stdin).
struct flag_word {
  std::string_view name;
  std::optional<std::string_view> value;
};

std::optional<flag_word> split(std::string_view word) {
  if (word.size() < 2 || word[0] != '-') return std::nullopt;
  word.remove_prefix(word[1] == '-' ? 2 : 1);
  const auto equals = word.find('=');
  if (equals == std::string_view::npos) return flag_word{word, std::nullopt};
  return flag_word{word.substr(0, equals), word.substr(equals + 1)};
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, diagonal + 1});
    }
  }
  return row[b.size()];
}

std::unexpected<error> unknown_flag(const flag_set& flags, std::string_view name, unsigned command,
                                    std::string_view command_name) {
  std::vector<std::string_view> names;
  for (const auto& known : flags.all())
    if (known.commands & command) {
      names.push_back(known.name);
      if (!known.alias.empty()) names.push_back(known.alias);
    }
  const auto close = nearest(name, names);
  if (close.empty())
    return fail("unknown flag {}: `egress-operator {} --help` lists them all", dashed(name), command_name);
  return fail("unknown flag {}: did you mean {}?", dashed(name), dashed(close));
}

std::unexpected<error> bad_value(const flag& which, std::string_view value, const error& why) {
  return fail("{}={}: {}", dashed(which.name), value, why.message);
}

}  // namespace

std::string dashed(std::string_view name) {
  return fmt::format("{}{}", name.size() == 1 ? "-" : "--", name);
}

std::string_view nearest(std::string_view word, const std::vector<std::string_view>& candidates) {
  constexpr std::size_t longest_word = 64;  // bounds the work on nonsense
  if (word.size() > longest_word) return {};
  std::string_view best;
  std::size_t best_distance = std::max<std::size_t>(1, word.size() / 3) + 1;
  for (const auto candidate : candidates) {
    const bool part =
        (word.size() >= 3 && candidate.starts_with(word)) || (word.size() >= 6 && candidate.ends_with(word));
    const auto distance = part ? 1 : edit_distance(word, candidate);
    if (distance < best_distance) {
      best = candidate;
      best_distance = distance;
    }
  }
  return best;
}

const flag* flag_set::find(std::string_view name) const {
  const auto found = std::ranges::find_if(
      flags_, [&](const flag& one) { return one.name == name || (!one.alias.empty() && one.alias == name); });
  return found == flags_.end() ? nullptr : &*found;
}

std::optional<error> flag_set::complaint_if_unknown(std::string_view word) const {
  constexpr unsigned any_command = ~0U;
  const auto parts = split(word);
  if (!parts || find(parts->name) != nullptr) return std::nullopt;
  return unknown_flag(*this, parts->name, any_command, "run").error();
}

std::size_t flag_set::first_plain_word(const std::vector<std::string>& words) const {
  for (std::size_t i = 0; i < words.size(); ++i) {
    const auto word = split(words[i]);
    if (!word) return i;
    const flag* which = find(word->name);
    if (which && !which->is_boolean() && !word->value) ++i;
  }
  return words.size();
}

result<std::vector<std::string>> flag_set::parse(const std::vector<std::string>& words, unsigned command,
                                                 std::string_view command_name) const {
  std::vector<std::string> plain;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const auto word = split(words[i]);
    if (!word) {
      plain.push_back(words[i]);
      continue;
    }
    const flag* which = find(word->name);
    if (!which) return unknown_flag(*this, word->name, command, command_name);
    if (!(which->commands & command))
      return fail("{} does not go with `{}`", dashed(which->name), command_name);
    auto value = word->value;
    if (!value && which->is_boolean()) value = "true";
    if (!value) {
      const bool last = i + 1 == words.size();
      const auto next = last ? std::nullopt : split(words[i + 1]);
      if (last || (next && find(next->name)))
        return fail("{} needs a value: {} {}", dashed(which->name), dashed(which->name), which->placeholder);
      value = words[++i];
    }
    if (auto stored = which->set(*value); !stored) return bad_value(*which, *value, stored.error());
  }
  return plain;
}

}  // namespace egress
