#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>

#include "actors/reconciler/yaml_scalar.hpp"

// What a plain scalar would be read as: yaml.v2's resolve(), which knows YAML 1.1's words, Go's integers
// (0x1f, 0b1, 0o7, 017, with underscores), decimal floats and four forms of a timestamp.

namespace egress::yaml {
namespace {

constexpr bool digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_word(std::string_view text) {
  if (text.size() > 5 || !std::string_view("~nNyYtTfFoO.+-").contains(text[0])) return false;
  static constexpr std::array<std::string_view, 38> words{
      "~",    "null", "Null",  "NULL",  "y",     "Y",     "yes",   "Yes",   "YES",   "n",
      "N",    "no",   "No",    "NO",    "true",  "True",  "TRUE",  "false", "False", "FALSE",
      "on",   "On",   "ON",    "off",   "Off",   "OFF",   ".nan",  ".NaN",  ".NAN",  ".inf",
      ".Inf", ".INF", "+.inf", "+.Inf", "+.INF", "-.inf", "-.Inf", "-.INF"};
  return std::ranges::any_of(words, [&](auto word) { return word[0] == text[0] && word == text; });
}

// The value of a digit in bases up to 36; 99 for anything else.
int digit_value(char c) {
  if (digit(c)) return c - '0';
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'z' ? lower - 'a' + 10 : 99;
}

// Digits of a base that fit into 64 bits (a signed number's own limit included).
bool whole_number(std::string_view digits, unsigned base, bool negative) {
  if (digits.empty()) return false;
  unsigned long long value = 0;
  for (const char c : digits) {
    const int d = digit_value(c);
    if (d >= static_cast<int>(base)) return false;
    if (__builtin_mul_overflow(value, base, &value) ||
        __builtin_add_overflow(value, static_cast<unsigned>(d), &value))
      return false;
  }
  return !negative || value <= 1ULL << 63;
}

// strconv.ParseInt and ParseUint with base 0, on text without underscores.
bool is_integer(std::string_view text) {
  const bool has_sign = !text.empty() && (text[0] == '-' || text[0] == '+');
  const bool negative = has_sign && text[0] == '-';
  if (has_sign) text.remove_prefix(1);
  // A plus sign makes ParseUint fail, so that only the signed range is left.
  const auto fits = [&](std::string_view digits, unsigned base) {
    return whole_number(digits, base, has_sign) &&
           (!has_sign || negative || whole_number(digits, base, true));
  };
  if (text.size() > 1 && text[0] == '0') {
    const char prefix = static_cast<char>(text[1] | 0x20);
    if (prefix == 'x') return fits(text.substr(2), 16);
    if (prefix == 'b') return fits(text.substr(2), 2);
    if (prefix == 'o') return fits(text.substr(2), 8);
    return fits(text.substr(1), 8);
  }
  return fits(text, 10);
}

// [-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?
bool float_form(std::string_view text) {
  std::size_t at = 0;
  const auto digits = [&] {
    const std::size_t from = at;
    while (at < text.size() && digit(text[at])) ++at;
    return at - from;
  };
  if (at < text.size() && (text[at] == '-' || text[at] == '+')) ++at;
  const bool before = digits() > 0;
  if (at < text.size() && text[at] == '.') {
    ++at;
    if (digits() == 0 && !before) return false;
  } else if (!before) {
    return false;
  }
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    ++at;
    if (at < text.size() && (text[at] == '-' || text[at] == '+')) ++at;
    if (digits() == 0) return false;
  }
  return at == text.size();
}

// A float that is too large for 64 bits is no float to Go, and stays plain.
bool is_float(std::string_view text) {
  return float_form(text) && !std::isinf(std::strtod(std::string(text).c_str(), nullptr));
}

// [-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?
bool is_base_60(std::string_view text) {
  std::size_t at = 0;
  const auto peek = [&](std::size_t ahead) { return at + ahead < text.size() ? text[at + ahead] : '\0'; };
  if (peek(0) == '-' || peek(0) == '+') ++at;
  if (!digit(peek(0))) return false;
  while (digit(peek(0)) || peek(0) == '_') ++at;
  std::size_t groups = 0;
  for (; peek(0) == ':'; ++groups) {
    const bool two = peek(1) >= '0' && peek(1) <= '5' && digit(peek(2));
    if (!two && !digit(peek(1))) return false;
    at += two ? 3 : 2;
  }
  if (groups == 0) return false;
  if (peek(0) == '.') {
    ++at;
    while (digit(peek(0)) || peek(0) == '_') ++at;
  }
  return at == text.size();
}

// Reads up to `most` digits as a number; -1 when there are none.
int take_number(std::string_view& text, std::size_t most) {
  std::size_t length = 0;
  int value = 0;
  while (length < most && length < text.size() && digit(text[length]))
    value = value * 10 + (text[length++] - '0');
  text.remove_prefix(length);
  return length == 0 ? -1 : value;
}

bool take(std::string_view& text, char c) {
  if (text.empty() || text[0] != c) return false;
  text.remove_prefix(1);
  return true;
}

int days_in(int year, int month) {
  static constexpr std::array<int, 12> days{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return month == 2 && leap ? 29 : days[static_cast<std::size_t>(month - 1)];
}

// "15:4:5.999999999", the fraction optional.
bool take_clock(std::string_view& text) {
  const int hour = take_number(text, 2);
  if (hour < 0 || hour > 23 || !take(text, ':')) return false;
  const int minute = take_number(text, 2);
  if (minute < 0 || minute > 59 || !take(text, ':')) return false;
  const int second = take_number(text, 2);
  if (second < 0 || second > 59) return false;
  if (text.size() > 1 && (text[0] == '.' || text[0] == ',') && digit(text[1])) {
    text.remove_prefix(1);
    while (!text.empty() && digit(text[0])) text.remove_prefix(1);
  }
  return true;
}

// "Z" or "+07:00".
bool is_zone(std::string_view text) {
  if (text == "Z") return true;
  if (text.size() != 6 || (text[0] != '+' && text[0] != '-') || text[3] != ':') return false;
  text.remove_prefix(1);
  const int hours = take_number(text, 2);
  return hours >= 0 && hours <= 24 && take(text, ':') && text.size() == 2 && digit(text[0]) &&
         digit(text[1]) && text <= "60";
}

bool is_timestamp(std::string_view text) {
  if (text.size() < 5 || text[4] != '-' || !std::ranges::all_of(text.substr(0, 4), digit)) return false;
  const int year = take_number(text, 4);
  text.remove_prefix(1);
  const int month = take_number(text, 2);
  if (month < 1 || month > 12 || !take(text, '-')) return false;
  const int day = take_number(text, 2);
  if (day < 1 || day > days_in(year, month)) return false;
  if (text.empty()) return true;
  const char separator = text[0];
  text.remove_prefix(1);
  if (separator == ' ') {
    while (take(text, ' ')) continue;
    return take_clock(text) && text.empty();
  }
  return (separator == 'T' || separator == 't') && take_clock(text) && is_zone(text);
}

}  // namespace

bool reads_as_another_type(std::string_view text) {
  if (text.empty()) return true;
  const char first = text[0];
  if (is_word(text)) return true;
  if (first == '.') return is_float(text);
  if (!digit(first) && first != '-' && first != '+') return false;
  if (is_timestamp(text) || is_base_60(text)) return true;
  std::string without(text);
  std::erase(without, '_');
  return is_integer(without) || is_float(without);
}

}  // namespace egress::yaml
