#include "runtime/kube/quantity.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

namespace egress::kube {
namespace {

__extension__ using wide = unsigned __int128;

constexpr wide widest = ~wide{0};
constexpr wide nanos_in_one = 1'000'000'000;
// The server's bound for what does not fit its 64-bit form: such a value is cut down to it.
constexpr wide largest_nanos = wide{INT64_MAX} * nanos_in_one;

bool multiply(wide& value, wide factor) {
  if (value > widest / factor) return false;
  value *= factor;
  return true;
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// A decimal number without its sign and suffix: digits × 10^-fraction.
struct decimal {
  wide digits = 0;
  int fraction = 0;             // digits behind the point
  std::size_t significant = 0;  // digits without leading zeros of the whole part, as the server counts them
  std::size_t length = 0;       // characters read
  bool any = false, fits = true;
};

decimal read_decimal(std::string_view text) {
  decimal out;
  bool point = false;
  for (const char c : text) {
    if (c == '.' && !point) {
      point = true;
    } else if (is_digit(c)) {
      out.any = true;
      if (point) ++out.fraction;
      if (point || c != '0' || out.significant > 0) ++out.significant;
      const auto digit = static_cast<unsigned>(c - '0');
      out.fits = out.fits && multiply(out.digits, 10) && out.digits <= widest - digit;
      if (out.fits) out.digits += digit;
    } else {
      break;
    }
    ++out.length;
  }
  return out;
}

std::string digits_of(wide value) {
  std::string out;
  do {
    out += static_cast<char>('0' + static_cast<int>(value % 10));
    value /= 10;
  } while (value != 0);
  std::ranges::reverse(out);
  return out;
}

// value × 10^tens; a fraction that is lost rounds up. Nothing when it does not fit.
std::optional<wide> scaled(wide value, int tens) {
  for (; tens > 0 && value != 0; --tens)
    if (!multiply(value, 10)) return std::nullopt;
  bool lost = false;
  for (; tens < 0 && value != 0; ++tens) {
    lost = lost || value % 10 != 0;
    value /= 10;
  }
  return value + (lost ? 1U : 0U);
}

}  // namespace

struct quantity::unit {
  std::string_view suffix;
  int tens;
  unsigned twos;
};

namespace {

constexpr std::array<std::string_view, 10> decimal_suffixes{"n", "u", "m", "", "k", "M", "G", "T", "P", "E"};
constexpr std::array<std::string_view, 7> binary_suffixes{"", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"};

// "e3", "E-2": the exponent, clamped to what certainly over- or underflows.
std::optional<int> read_exponent(std::string_view suffix) {
  if (suffix.size() < 2 || (suffix[0] != 'e' && suffix[0] != 'E')) return std::nullopt;
  suffix.remove_prefix(1);
  const bool negative = suffix[0] == '-';
  if (negative || suffix[0] == '+') suffix.remove_prefix(1);
  if (suffix.empty() || !std::ranges::all_of(suffix, is_digit)) return std::nullopt;
  int exponent = 0;
  const auto [end, failed] = std::from_chars(suffix.data(), suffix.data() + suffix.size(), exponent);
  exponent = failed == std::errc{} ? std::min(exponent, 1000) : 1000;
  return negative ? -exponent : exponent;
}

}  // namespace

const quantity::unit* quantity::find_unit(std::string_view suffix) {
  static constexpr std::array units{
      unit{"", 0, 0},    unit{"n", -9, 0},  unit{"u", -6, 0},  unit{"m", -3, 0},
      unit{"k", 3, 0},   unit{"M", 6, 0},   unit{"G", 9, 0},   unit{"T", 12, 0},
      unit{"P", 15, 0},  unit{"E", 18, 0},  unit{"Ki", 0, 10}, unit{"Mi", 0, 20},
      unit{"Gi", 0, 30}, unit{"Ti", 0, 40}, unit{"Pi", 0, 50}, unit{"Ei", 0, 60}};
  const auto* found = std::ranges::find(units, suffix, &unit::suffix);
  return found == units.end() ? nullptr : found;
}

result<quantity> quantity::parse(std::string_view text) {
  const auto malformed = [&] {
    return fail("\"{}\" is no quantity: write a number with or without a suffix, like 100m, 2, 1.5Gi",
                text.substr(0, 64));
  };
  quantity out;
  auto rest = text;
  if (!rest.empty() && (rest[0] == '-' || rest[0] == '+')) {
    out.negative_ = rest[0] == '-';
    rest.remove_prefix(1);
  }
  const auto number = read_decimal(rest);
  const auto suffix = rest.substr(number.length);
  if (!number.any) return malformed();
  int tens = -number.fraction;
  unsigned twos = 0;
  if (const auto* known = find_unit(suffix)) {
    tens += known->tens;
    twos = known->twos;
    if (twos != 0) out.notation_ = notation::binary_suffix;
  } else if (const auto exponent = read_exponent(suffix)) {
    tens += *exponent;
    out.notation_ = notation::decimal_exponent;
  } else {
    return malformed();
  }
  auto value = number.digits;
  const bool shifted = number.fits && multiply(value, wide{1} << twos);
  const auto nanos = shifted ? scaled(value, tens + 9) : std::nullopt;
  if (!nanos) return fail("\"{}\" is too large for a quantity", text.substr(0, 64));
  out.nanos_ = *nanos;
  const bool kept_exactly = twos == 0 && number.significant <= 18 && tens >= -9;
  if (!kept_exactly) out.nanos_ = std::min(out.nanos_, largest_nanos);
  if (out.nanos_ == 0) out.negative_ = false;
  return out;
}

result<quantity> quantity::parse(const json::value& what) {
  if (const auto* text = what.if_string()) return parse(std::string_view(*text));
  if (const auto* number = what.if_int64()) return parse(std::to_string(*number));
  if (const auto* number = what.if_uint64()) return parse(std::to_string(*number));
  if (const auto* number = what.if_double()) {
    // Without an exponent: the server reads the number's text, and an exponent would change the notation.
    std::array<char, 400> text{};
    const auto end = std::to_chars(text.data(), text.data() + text.size(), *number, std::chars_format::fixed);
    if (end.ec == std::errc{}) return parse(std::string_view(text.data(), end.ptr));
  }
  return fail("neither a string nor a number where a quantity belongs");
}

quantity quantity::in_thousandths() const {
  constexpr wide thousandth = 1'000'000;
  auto made = *this;
  made.nanos_ = nanos_ / thousandth * thousandth + (nanos_ % thousandth != 0 ? thousandth : 0);
  return made;
}

std::string quantity::canonical() const {
  if (zero()) return "0";
  const bool whole = nanos_ % nanos_in_one == 0;
  const bool binary = notation_ == notation::binary_suffix && whole && nanos_ >= 1024 * nanos_in_one;
  return (negative_ ? "-" : "") + (binary ? binary_text() : decimal_text());
}

// The fewest digits for which the exponent is a multiple of three: 1500 stays, 1000 is 1k.
std::string quantity::decimal_text() const {
  auto count = nanos_;
  int exponent = -9;
  while (count % 1000 == 0) {
    count /= 1000;
    exponent += 3;
  }
  if (notation_ == notation::decimal_exponent)
    return digits_of(count) + (exponent == 0 ? "" : "e" + std::to_string(exponent));
  for (; exponent > 18; exponent -= 3) count *= 1000;  // no suffix is larger than E
  return digits_of(count) + std::string(decimal_suffixes[static_cast<std::size_t>(exponent / 3 + 3)]);
}

std::string quantity::binary_text() const {
  auto count = nanos_ / nanos_in_one;
  std::size_t power = 0;
  for (; count % 1024 == 0 && power + 1 < binary_suffixes.size(); ++power) count /= 1024;
  return digits_of(count) + std::string(binary_suffixes[power]);
}

std::strong_ordering operator<=>(const quantity& a, const quantity& b) {
  if (a.negative_ != b.negative_)
    return a.negative_ ? std::strong_ordering::less : std::strong_ordering::greater;
  const auto& left = a.negative_ ? b : a;
  const auto& right = a.negative_ ? a : b;
  return left.nanos_ < right.nanos_   ? std::strong_ordering::less
         : left.nanos_ > right.nanos_ ? std::strong_ordering::greater
                                      : std::strong_ordering::equal;
}

}  // namespace egress::kube
