#include "actors/dns/name.hpp"

namespace egress::dns {
namespace {

bool is_host_character(std::uint8_t c) {
  return static_cast<std::uint8_t>(c - 'a') < 26 || static_cast<std::uint8_t>(c - '0') < 10 || c == '-' ||
         c == '_';
}

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

}  // namespace egress::dns
