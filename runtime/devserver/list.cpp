#include "runtime/devserver/list.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>

#include "runtime/devserver/tree.hpp"

namespace egress::dev {
namespace {

// What a continue token holds: the moment of the first page, the last object shown, and how many are left
// behind it.
struct position {
  std::uint64_t version = 0;
  std::optional<std::uint64_t> left;  // nothing: with a selector, or before the first page
  object_key after;
};

constexpr std::string_view token_prefix = "v1:";

std::string token_of(const position& at) {
  const auto left = at.left ? std::to_string(*at.left) : "";
  return fmt::format("{}{}:{}:{}/{}", token_prefix, at.version, left, at.after.name_space, at.after.name);
}

// Takes a number and what ends it off the front.
std::optional<std::uint64_t> number_before(std::string_view& text, char end) {
  std::uint64_t number = 0;
  const auto [at, code] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (code != std::errc{} || at == text.data() + text.size() || *at != end) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(at - text.data()) + 1);
  return number;
}

std::optional<position> parse_token(std::string_view text) {
  if (!text.starts_with(token_prefix)) return std::nullopt;
  text.remove_prefix(token_prefix.size());
  position at;
  const auto version = number_before(text, ':');
  if (!version) return std::nullopt;
  at.version = *version;
  if (text.starts_with(':'))
    text.remove_prefix(1);
  else if (at.left = number_before(text, ':'); !at.left)
    return std::nullopt;
  const auto slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  at.after = {std::string{text.substr(0, slash)}, std::string{text.substr(slash + 1)}};
  return at;
}

std::size_t limit_of(std::string_view text) {
  std::size_t limit = 0;
  std::from_chars(text.data(), text.data() + text.size(), limit);
  return limit;
}

object_key key_of(const stored& object) {
  return {namespace_of(*object), name_of(*object)};
}

// Anybody may write a token.
std::uint64_t less(std::uint64_t from, std::uint64_t what) {
  return from - std::min(from, what);
}

outcome<position> start_of(const store& objects, const parsed_request& what) {
  const auto match = what.option("resourceVersionMatch");
  const auto asked = parse_version(what.option("resourceVersion"));
  if (!asked) return std::unexpected(asked.error());
  if (const auto token = what.option("continue"); !token.empty()) {
    const auto at = parse_token(token);
    if (!at) return bad_request("continue key is not valid: it is no token of this server");
    if (*asked) return bad_request("specifying resource version is not allowed when using continue");
    return *at;
  }
  if (!match.empty() && what.option("resourceVersion").empty())
    return bad_request("resourceVersionMatch is forbidden unless resourceVersion is provided");
  if (*asked && **asked > objects.version()) return too_large_version(**asked, objects.version());
  return position{match == "Exact" && *asked ? **asked : objects.version(), {}, {}};
}

}  // namespace

outcome<selection> selection_of(const parsed_request& what) {
  auto labels = label_selector::parse(what.option("labelSelector"));
  if (!labels) return std::unexpected(labels.error());
  std::string wanted{what.option("fieldSelector")};
  if (!what.name.empty()) wanted += (wanted.empty() ? "" : ",") + fmt::format("metadata.name={}", what.name);
  auto fields = field_selector::parse(wanted);
  if (!fields) return std::unexpected(fields.error());
  return selection{what.name_space, *std::move(labels), *std::move(fields)};
}

outcome<std::optional<std::uint64_t>> parse_version(std::string_view text) {
  if (text.empty() || text == "0") return std::optional<std::uint64_t>{};
  std::uint64_t version = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), version);
  if (code != std::errc{} || end != text.data() + text.size())
    return bad_request(fmt::format("resourceVersion: Invalid value: \"{}\": it is no number", text));
  return std::optional{version};
}

outcome<page> list_page(const store& objects, const parsed_request& what) {
  const auto chosen = selection_of(what);
  if (!chosen) return std::unexpected(chosen.error());
  const auto from = start_of(objects, what);
  if (!from) return std::unexpected(from.error());
  const auto limit = limit_of(what.option("limit"));
  page made;
  made.metadata["resourceVersion"] = std::to_string(from->version);
  // With selectors the real server does not know how many are left. Without, the first page counts them.
  const bool counts = chosen->all() && !from->left;
  std::uint64_t beyond = 0;
  const bool known = objects.visit_at(from->version, storage_of(*what.of), chosen->name_space, from->after,
                                      [&](const stored& one) {
                                        if (!chosen->matches(*one)) return true;
                                        if (limit != 0 && made.items.size() == limit) {
                                          ++beyond;
                                          return counts;
                                        }
                                        made.items.push_back(one);
                                        return true;
                                      });
  if (!known)
    return std::unexpected(
        expired("The provided continue parameter or resourceVersion is too old to display a "
                "consistent list result: start a new list without it."));
  if (beyond == 0) return made;
  std::optional<std::uint64_t> left;
  if (chosen->all()) left = counts ? beyond : less(*from->left, made.items.size());
  if (left) made.metadata["remainingItemCount"] = *left;
  made.metadata["continue"] = token_of({from->version, left, key_of(made.items.back())});
  return made;
}

}  // namespace egress::dev
