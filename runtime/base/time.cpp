#include "runtime/base/time.hpp"

#include <fmt/format.h>

#include <charconv>

namespace egress {
namespace {

using namespace std::chrono;

std::string date_and_time(wall_time when) {
  const auto day = floor<days>(when);
  const year_month_day date{day};
  const hh_mm_ss clock{floor<seconds>(when - day)};
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     clock.hours().count(), clock.minutes().count(), clock.seconds().count());
}

// Takes a run of exactly `digits` digits off the front.
std::optional<int> take_number(std::string_view& text, std::size_t digits) {
  if (text.size() < digits) return std::nullopt;
  int value = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + digits, value);
  if (code != std::errc{} || end != text.data() + digits || text[0] == '-') return std::nullopt;
  text.remove_prefix(digits);
  return value;
}

bool take(std::string_view& text, char expected) {
  if (text.empty() || text[0] != expected) return false;
  text.remove_prefix(1);
  return true;
}

std::optional<microseconds> take_fraction(std::string_view& text) {
  if (!take(text, '.')) return microseconds{0};
  microseconds::rep micros = 0;
  std::size_t digits = 0;
  while (!text.empty() && text[0] >= '0' && text[0] <= '9') {
    if (digits < 6) micros = micros * 10 + (text[0] - '0');
    ++digits;
    text.remove_prefix(1);
  }
  if (digits == 0) return std::nullopt;
  for (; digits < 6; ++digits) micros *= 10;
  return microseconds{micros};
}

std::optional<minutes> take_offset(std::string_view& text) {
  if (take(text, 'Z') || take(text, 'z')) return minutes{0};
  if (text.empty() || (text[0] != '+' && text[0] != '-')) return std::nullopt;
  const int sign = text[0] == '-' ? -1 : 1;
  text.remove_prefix(1);
  const auto hour = take_number(text, 2);
  if (!hour || !take(text, ':')) return std::nullopt;
  const auto minute = take_number(text, 2);
  if (!minute || *hour > 23 || *minute > 59) return std::nullopt;
  return minutes{sign * (*hour * 60 + *minute)};
}

}  // namespace

std::string to_rfc3339(wall_time when) {
  return date_and_time(when) + "Z";
}

std::string to_rfc3339_micro(wall_time when) {
  const auto micros = duration_cast<microseconds>(when - floor<seconds>(when));
  return fmt::format("{}.{:06}Z", date_and_time(when), micros.count());
}

std::optional<wall_time> from_rfc3339(std::string_view text) {
  const auto y = take_number(text, 4);
  // Nanoseconds since 1970 in 64 bits hold no other years; the API server writes none of them either.
  if (!y || *y < 1700 || *y > 2200 || !take(text, '-')) return std::nullopt;
  const auto m = take_number(text, 2);
  if (!m || !take(text, '-')) return std::nullopt;
  const auto d = take_number(text, 2);
  if (!d || (!take(text, 'T') && !take(text, 't'))) return std::nullopt;
  const auto hour = take_number(text, 2);
  if (!hour || !take(text, ':')) return std::nullopt;
  const auto minute = take_number(text, 2);
  if (!minute || !take(text, ':')) return std::nullopt;
  const auto second = take_number(text, 2);
  if (!second || *hour > 23 || *minute > 59 || *second > 60) return std::nullopt;
  const auto fraction = take_fraction(text);
  if (!fraction) return std::nullopt;
  const auto offset = take_offset(text);
  const year_month_day date{year{*y}, month{static_cast<unsigned>(*m)}, day{static_cast<unsigned>(*d)}};
  if (!offset || !text.empty() || !date.ok()) return std::nullopt;
  return wall_time{sys_days{date} + hours{*hour} + minutes{*minute} + seconds{*second} + *fraction - *offset};
}

}  // namespace egress
