#include "actors/reconciler/yaml_scalar.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

namespace egress::yaml {
namespace {

struct analysis {
  bool plain = true, single_quoted = true, literal = true;
};

constexpr bool blank_at(std::string_view text, std::size_t at) {
  return at >= text.size() || text[at] == ' ' || text[at] == '\t' || text[at] == '\n' || text[at] == '\r';
}

// A byte that only double quotes can carry: control characters, and whatever is not printable in YAML 1.1
// (C1 controls, the byte order mark, everything beyond the basic plane; line and paragraph separators too).
bool needs_escape(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t ahead) {
    return at + ahead < text.size() ? static_cast<unsigned char>(text[at + ahead]) : 0U;
  };
  const unsigned c = byte(0);
  if (c == '\n') return false;
  if (c < 0x20 || c == 0x7f) return true;
  if (c < 0x80 || (c & 0xc0) == 0x80) return false;  // ASCII, or inside a sequence judged at its first byte
  if (c == 0xc2) return byte(1) < 0xa0;
  if (c == 0xe2) return byte(1) == 0x80 && (byte(2) == 0xa8 || byte(2) == 0xa9);
  if (c == 0xed) return byte(1) >= 0xa0;
  if (c == 0xef)
    return (byte(1) == 0xbb && byte(2) == 0xbf) || (byte(1) == 0xbf && (byte(2) == 0xbe || byte(2) == 0xbf));
  return c >= 0xf0;
}

// May the character at `at` not stand there in a plain scalar of block context?
bool indicator_at(std::string_view text, std::size_t at) {
  const char c = text[at];
  if (at == 0) {
    if (std::string_view("#,[]{}&*!|>'\"%@`").contains(c)) return true;
    if (c == '?' || c == ':' || c == '-') return blank_at(text, 1);
    return false;
  }
  if (c == ':') return blank_at(text, at + 1);
  return c == '#' && blank_at(text, at - 1);
}

// Characters that may mean something though they do not come first: of others most texts are made.
constexpr auto remarkable = [] {
  std::array<bool, 256> made{};
  for (std::size_t c = 0; c < made.size(); ++c) made[c] = c < 0x20 || c >= 0x7f || c == ':' || c == '#';
  return made;
}();

bool is_remarkable(char c) {
  return remarkable[static_cast<unsigned char>(c)];
}

analysis analyze(std::string_view text) {
  analysis may;
  if (text.empty()) return {.plain = true, .single_quoted = true, .literal = false};
  const auto space_or_break = [](char c) { return c == ' ' || c == '\n'; };
  if (space_or_break(text.front()) || space_or_break(text.back())) may.plain = false;
  if (text.back() == ' ') may.literal = false;
  if (text.starts_with("---") || text.starts_with("...") || indicator_at(text, 0)) may.plain = false;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (!is_remarkable(text[at])) continue;
    if (needs_escape(text, at)) return {false, false, false};
    if (text[at] != '\n') {
      may.plain = may.plain && (at == 0 || !indicator_at(text, at));
      continue;
    }
    if (at > 0 && text[at - 1] == ' ') return {false, false, false};
    may.plain = false;
    if (at + 1 < text.size() && text[at + 1] == ' ') may.single_quoted = false;
  }
  return may;
}

void append_single_quoted(std::string& out, std::string_view text) {
  out += '\'';
  for (const char c : text) {
    if (c == '\'') out += '\'';
    out += c;
  }
  out += '\'';
}

// The code point that begins at `at`, and its length in bytes.
std::pair<unsigned, std::size_t> code_point(std::string_view text, std::size_t at) {
  const auto lead = static_cast<unsigned char>(text[at]);
  const std::size_t length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  unsigned value = length == 1 ? lead : lead & (0xffU >> (length + 1));
  for (std::size_t i = 1; i < length && at + i < text.size(); ++i)
    value = value << 6 | (static_cast<unsigned char>(text[at + i]) & 0x3fU);
  return {value, length};
}

// The escapes that go-yaml writes by letter (YAML 1.1, 5.7).
constexpr std::array<std::pair<unsigned, std::string_view>, 14> short_escapes{{{0x00, "\\0"},
                                                                               {0x07, "\\a"},
                                                                               {0x08, "\\b"},
                                                                               {0x09, "\\t"},
                                                                               {0x0a, "\\n"},
                                                                               {0x0b, "\\v"},
                                                                               {0x0c, "\\f"},
                                                                               {0x0d, "\\r"},
                                                                               {0x1b, "\\e"},
                                                                               {0x22, "\\\""},
                                                                               {0x5c, "\\\\"},
                                                                               {0x85, "\\N"},
                                                                               {0x2028, "\\L"},
                                                                               {0x2029, "\\P"}}};

void append_escape(std::string& out, unsigned c) {
  const auto found = std::ranges::find(short_escapes, c, &std::pair<unsigned, std::string_view>::first);
  if (found != short_escapes.end()) {
    out += found->second;
    return;
  }
  if (c <= 0xff)
    fmt::format_to(std::back_inserter(out), "\\x{:02X}", c);
  else if (c <= 0xffff)
    fmt::format_to(std::back_inserter(out), "\\u{:04X}", c);
  else
    fmt::format_to(std::back_inserter(out), "\\U{:08X}", c);
}

void append_double_quoted(std::string& out, std::string_view text) {
  out += '"';
  for (std::size_t at = 0; at < text.size();) {
    const auto [c, length] = code_point(text, at);
    if (c == '"' || c == '\\' || c == '\n' || needs_escape(text, at))
      append_escape(out, c);
    else
      out += text.substr(at, length);
    at += length;
  }
  out += '"';
}

void append_literal(std::string& out, std::string_view text, std::size_t indent) {
  out += '|';
  if (text.front() == ' ' || text.front() == '\n') out += '2';  // what the first line is indented by
  if (text.back() != '\n')
    out += '-';
  else if (text.size() == 1 || text[text.size() - 2] == '\n')
    out += '+';
  while (!text.empty()) {
    const auto end = text.find('\n');
    const auto line = text.substr(0, end);
    out += '\n';
    if (!line.empty()) out.append(indent, ' ').append(line);
    if (end == std::string_view::npos) return;
    text.remove_prefix(end + 1);
  }
}

// What most texts are: a letter, then letters, digits and what never means anything there.
constexpr auto in_words = [] {
  std::array<bool, 256> made{};
  for (const char c : std::string_view("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./@-"))
    made[static_cast<unsigned char>(c)] = true;
  return made;
}();
bool is_plain_word(std::string_view text) {
  const auto letter = static_cast<unsigned char>((text.empty() ? 0 : text[0]) | 0x20);
  return letter >= 'a' && letter <= 'z' &&
         std::ranges::all_of(text, [](char c) { return in_words[static_cast<unsigned char>(c)]; });
}

}  // namespace

scalar_style style_of(std::string_view text) {
  if (is_plain_word(text))
    return reads_as_another_type(text) ? scalar_style::double_quoted : scalar_style::plain;
  const auto may = analyze(text);
  if (text.contains('\n')) return may.literal ? scalar_style::literal : scalar_style::double_quoted;
  if (reads_as_another_type(text)) return scalar_style::double_quoted;
  if (may.plain) return scalar_style::plain;
  return may.single_quoted ? scalar_style::single_quoted : scalar_style::double_quoted;
}

void append_string(std::string& out, std::string_view text, std::size_t indent) {
  switch (style_of(text)) {
    case scalar_style::plain:
      out += text;
      return;
    case scalar_style::single_quoted:
      append_single_quoted(out, text);
      return;
    case scalar_style::double_quoted:
      append_double_quoted(out, text);
      return;
    case scalar_style::literal:
      append_literal(out, text, indent);
      return;
  }
}

}  // namespace egress::yaml
