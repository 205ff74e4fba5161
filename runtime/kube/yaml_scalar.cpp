#include "runtime/kube/yaml_scalar.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>

#include "runtime/kube/json_text.hpp"

namespace egress::kube {
namespace {

constexpr std::array<std::string_view, 11> trues{"y",    "Y",    "yes", "Yes", "YES", "true",
                                                 "True", "TRUE", "on",  "On",  "ON"};
constexpr std::array<std::string_view, 11> falses{"n",     "N",     "no",  "No",  "NO", "false",
                                                  "False", "FALSE", "off", "Off", "OFF"};
constexpr std::array<std::string_view, 5> nulls{"", "~", "null", "Null", "NULL"};
constexpr std::array<std::string_view, 12> not_finite{".nan",  ".NaN",  ".NAN",  ".inf",  ".Inf",  ".INF",
                                                      "+.inf", "+.Inf", "+.INF", "-.inf", "-.Inf", "-.INF"};

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

template <class List>
bool has(const List& list, std::string_view text) {
  return std::ranges::find(list, text) != list.end();
}

std::size_t digits_at(std::string_view text, std::size_t from) {
  std::size_t end = from;
  while (end < text.size() && is_digit(text[end])) ++end;
  return end - from;
}

// [-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?
bool is_float(std::string_view text) {
  std::size_t at = !text.empty() && (text[0] == '-' || text[0] == '+') ? 1 : 0;
  const auto whole = digits_at(text, at);
  at += whole;
  if (at < text.size() && text[at] == '.') {
    const auto fraction = digits_at(text, at + 1);
    if (whole == 0 && fraction == 0) return false;
    at += 1 + fraction;
  } else if (whole == 0) {
    return false;
  }
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    ++at;
    if (at < text.size() && (text[at] == '-' || text[at] == '+')) ++at;
    const auto exponent = digits_at(text, at);
    if (exponent == 0) return false;
    at += exponent;
  }
  return at == text.size();
}

// Go's strconv with base 0: 0x, 0o, 0b and a leading 0 say the base.
std::optional<json::value> to_integer(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  int base = 10;
  if (text.size() > 1 && text[0] == '0') {
    const char kind = static_cast<char>(text[1] | 0x20);
    base = kind == 'x' ? 16 : kind == 'b' ? 2 : 8;
    text.remove_prefix(kind == 'x' || kind == 'b' || kind == 'o' ? 2 : 1);
  }
  std::uint64_t size = 0;
  const auto* const end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, size, base);
  if (text.empty() || read.ec != std::errc{} || read.ptr != end) return std::nullopt;
  constexpr auto largest = static_cast<std::uint64_t>(INT64_MAX);
  if (!negative) return size <= largest ? json::value(static_cast<std::int64_t>(size)) : json::value(size);
  if (size > largest + 1) return std::nullopt;
  return json::value(static_cast<std::int64_t>(0 - size));
}

std::optional<json::value> to_float(std::string_view text) {
  if (!is_float(text)) return std::nullopt;
  if (text.starts_with('+')) text.remove_prefix(1);
  double number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  if (read.ec != std::errc{}) return std::nullopt;  // beyond a double: stays a string
  // Go prints 1e3 as 1000: an integer to who reads the JSON.
  constexpr double exact = 9007199254740992.0;  // 2^53
  if (std::abs(number) <= exact && std::trunc(number) == number)
    return json::value(static_cast<std::int64_t>(number));
  return json::value(number);
}

result<json::value> resolve_plain(std::string_view text) {
  if (has(trues, text)) return true;
  if (has(falses, text)) return false;
  if (has(nulls, text)) return nullptr;
  if (has(not_finite, text)) return fail("{} is no number that JSON can hold", text);
  const char first = text[0];
  if (!is_digit(first) && first != '-' && first != '+' && first != '.') return json::string(text);
  std::string plain(text);
  std::erase(plain, '_');
  if (first != '.')
    if (auto integer = to_integer(plain)) return *integer;
  if (auto number = to_float(plain)) return *number;
  return json::string(text);
}

result<json::value> resolve_as(std::string_view type, std::string_view text) {
  if (type == "str") return json::string(text);
  if (type == "binary") return fail("the tag !!binary is not supported; write the text itself");
  auto plain = resolve_plain(text);
  if (!plain) return plain;
  const bool fits = (type == "null" && plain->is_null()) || (type == "bool" && plain->is_bool()) ||
                    (type == "int" && (plain->is_int64() || plain->is_uint64())) ||
                    (type == "float" && plain->is_number());
  if (type == "timestamp") return json::string(text);
  if (!fits) return fail("\"{}\" is no !!{}", text.substr(0, 64), type);
  return plain;
}

}  // namespace

result<json::value> resolve_scalar(std::string_view tag, std::string_view text) {
  if (tag.empty() || tag == "?") return resolve_plain(text);
  constexpr std::string_view standard = "tag:yaml.org,2002:";
  if (tag.starts_with(standard)) return resolve_as(tag.substr(standard.size()), text);
  return json::string(text);  // quoted, or a tag of somebody's own
}

result<std::string> resolve_key(std::string_view tag, std::string_view text) {
  const auto key = resolve_scalar(tag, text);
  if (!key) return std::unexpected(key.error());
  if (key->is_null()) return fail("null cannot be the name of a member; quote it");
  if (const auto* name = key->if_string()) return std::string(*name);
  return json::to_text(*key);
}

}  // namespace egress::kube
