#include "runtime/base/log_line.hpp"

#include <algorithm>
#include <array>

namespace egress::log {
namespace {

constexpr std::array<std::string_view, 4> level_names{"debug", "info", "warn", "error"};
constexpr std::array<std::string_view, 4> level_columns{"DEBUG ", "INFO  ", "WARN  ", "ERROR "};

bool continues(char c) {
  return (static_cast<unsigned char>(c) & 0xC0U) == 0x80;
}

// Bytes of the well-formed UTF-8 sequence at the front (RFC 3629: no overlong forms, no surrogates); 0: none.
std::size_t sequence_length(std::string_view text) {
  const auto first = static_cast<unsigned char>(text[0]);
  if (first < 0x80) return 1;
  const std::size_t length = first >= 0xC2 && first <= 0xDF   ? 2
                             : (first & 0xF0U) == 0xE0        ? 3
                             : first >= 0xF0 && first <= 0xF4 ? 4
                                                              : 0;
  if (length == 0 || text.size() < length) return 0;
  if (!std::ranges::all_of(text.substr(1, length - 1), continues)) return 0;
  const auto second = static_cast<unsigned char>(text[1]);
  const bool overlong = (first == 0xE0 && second < 0xA0) || (first == 0xF0 && second < 0x90);
  const bool surrogate = first == 0xED && second > 0x9F;
  const bool beyond = first == 0xF4 && second > 0x8F;
  return overlong || surrogate || beyond ? 0 : length;
}

void append_ascii(std::string& out, char c) {
  switch (c) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      break;
  }
  const auto code = static_cast<unsigned char>(c);
  if (code < 0x20 || code == 0x7F)
    out += fmt::format("\\u{:04x}", code);
  else
    out += c;
}

// A word needs no quotes in the text form.
bool is_plain(std::string_view value) {
  return !value.empty() && std::ranges::all_of(value, [](char c) {
    return c > ' ' && c < 0x7F && c != '"' && c != '\\' && c != '=';
  });
}

void append_quoted(std::string& out, std::string_view text) {
  out += '"';
  append_escaped(out, text);
  out += '"';
}

}  // namespace

void append_escaped(std::string& out, std::string_view text) {
  while (!text.empty()) {
    const auto length = sequence_length(text);
    if (length == 1)
      append_ascii(out, text[0]);
    else if (length == 0)
      out += "\xEF\xBF\xBD";
    else
      out += text.substr(0, length);
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
}

std::string json_members(log_level level, std::string_view message, std::span<const field> fields) {
  std::string out = fmt::format("\"level\":\"{}\",\"msg\":", level_names[static_cast<std::size_t>(level)]);
  append_quoted(out, message);
  for (const auto& one : fields) {
    out += ',';
    append_quoted(out, one.key);
    out += ':';
    if (one.bare)
      out += one.value;
    else
      append_quoted(out, one.value);
  }
  return out;
}

std::string text_line(log_level level, std::string_view message, std::span<const field> fields) {
  std::string out{level_columns[static_cast<std::size_t>(level)]};
  append_escaped(out, message);
  for (const auto& one : fields) {
    out += ' ';
    append_escaped(out, one.key);
    out += '=';
    if (is_plain(one.value))
      out += one.value;
    else
      append_quoted(out, one.value);
  }
  return out;
}

}  // namespace egress::log
