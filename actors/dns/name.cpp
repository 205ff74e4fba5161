#include "actors/dns/name.hpp"

#include <algorithm>

namespace egress::dns {
namespace {

bool is_host_character(std::uint8_t c) {
  return static_cast<std::uint8_t>(c - 'a') < 26 || static_cast<std::uint8_t>(c - '0') < 10 || c == '-' ||
         c == '_';
}

constexpr int most_pointers = 64;

}  // namespace

result<wire_name> parse_name(std::string_view text) {
  const std::string_view whole = text;
  if (text.ends_with('.')) text.remove_suffix(1);
  if (text.empty()) return fail("\"{}\" is not a domain name: it has no label", whole);
  if (text.size() > max_name_size - 2)
    return fail("\"{}…\" is longer than 253 characters", whole.substr(0, 40));
  wire_name name;
  std::size_t length_at = 0, at = 1;
  const auto end_label = [&] {
    const std::size_t size = at - length_at - 1;
    name.data[length_at] = static_cast<std::uint8_t>(size);
    length_at = at++;
    ++name.labels;
    return size >= 1 && size <= 63;
  };
  for (const char character : text) {
    if (character == '.') {
      if (!end_label()) return fail("\"{}\": a label must have 1 to 63 characters", whole);
      continue;
    }
    const auto c = to_lower(static_cast<std::uint8_t>(character));
    if (!is_host_character(c))
      return fail("\"{}\": only letters, digits, '-' and '_' belong in a name", whole);
    name.data[at++] = c;
  }
  if (!end_label()) return fail("\"{}\": a label must have 1 to 63 characters", whole);
  name.data[length_at] = 0;
  name.size = static_cast<std::uint8_t>(length_at + 1);
  return name;
}

std::string to_text(bytes name) {
  std::string text;
  std::size_t at = 0;
  while (at < name.size() && name[at] != 0) {
    const std::size_t end = at + 1 + name[at];
    for (++at; at < end && at < name.size(); ++at) {
      const auto c = name[at];
      if (c == '.' || c == '\\')
        text += {'\\', static_cast<char>(c)};
      else if (c > 0x20 && c < 0x7f)
        text += static_cast<char>(c);
      else
        text += fmt::format("\\{:03}", c);
    }
    if (at < name.size() && name[at] != 0) text += '.';
  }
  return text.empty() ? "." : text;
}

std::optional<std::size_t> plain_name_size(bytes message, std::size_t at) {
  for (std::size_t size = 0; size < max_name_size;) {
    if (at + size >= message.size()) return std::nullopt;
    const std::uint8_t label = message[at + size];
    if (label == 0) return size + 1;
    if (label > 63) return std::nullopt;
    size += label + 1u;
  }
  return std::nullopt;
}

std::optional<std::size_t> skip_name(bytes message, std::size_t at) {
  for (std::size_t size = 0; size < max_name_size;) {
    if (at + size >= message.size()) return std::nullopt;
    const std::uint8_t label = message[at + size];
    if (label == 0) return at + size + 1;
    if (label >= 0xc0) return at + size + 2 <= message.size() ? std::optional(at + size + 2) : std::nullopt;
    if (label > 63) return std::nullopt;
    size += label + 1u;
  }
  return std::nullopt;
}

bool expand_name(bytes message, std::size_t at, wire_name& into) {
  into.size = into.labels = 0;
  for (int jumps = 0; at < message.size();) {
    const std::uint8_t label = message[at];
    if (label >= 0xc0) {
      if (at + 2 > message.size()) return false;
      const std::size_t target = load16(&message[at]) & 0x3fffu;
      if (target >= at || ++jumps > most_pointers) return false;
      at = target;
      continue;
    }
    if (label > 63 || at + label >= message.size() || into.size + label + 1u > max_name_size) return false;
    for (std::size_t i = 0; i <= label; ++i) into.data[into.size++] = to_lower(message[at + i]);
    if (label == 0) return true;
    ++into.labels;
    at += label + 1u;
    if (into.size == max_name_size) return false;  // no room for the root
  }
  return false;
}

bool same_name(const wire_name& a, const wire_name& b) {
  return std::ranges::equal(a.view(), b.view());
}

bool is_at_or_below(const wire_name& name, const wire_name& ancestor) {
  return name.labels >= ancestor.labels && is_at_or_below(name.view(), ancestor);
}

bool is_at_or_below(bytes name, const wire_name& ancestor) {
  if (name.size() < ancestor.size) return false;
  // Most are not: found out without a walk along the labels, as the same end may begin within one.
  if (!std::ranges::equal(name.last(ancestor.size), ancestor.view())) return false;
  while (name.size() > ancestor.size) name = name.subspan(name[0] + 1u);
  return name.size() == ancestor.size;
}

}  // namespace egress::dns
