#include "actors/reconciler/sameness.hpp"

#include <algorithm>
#include <array>
#include <boost/json/serialize.hpp>
#include <charconv>
#include <optional>
#include <string>

namespace egress::reconciler {
namespace {

__extension__ using wide = unsigned __int128;

constexpr wide widest = ~wide{0};

// A quantity in billionths: Kubernetes keeps no more digits than that.
struct billionths {
  bool negative = false;
  wide count = 0;
  friend bool operator==(const billionths&, const billionths&) = default;
};

bool times(wide& value, wide factor) {
  if (factor != 0 && value > widest / factor) return false;
  value *= factor;
  return true;
}

struct suffix {
  std::string_view text;
  int tens;
  unsigned twos;
};
constexpr std::array suffixes{
    suffix{"", 0, 0},    suffix{"n", -9, 0},  suffix{"u", -6, 0},  suffix{"m", -3, 0},
    suffix{"k", 3, 0},   suffix{"M", 6, 0},   suffix{"G", 9, 0},   suffix{"T", 12, 0},
    suffix{"P", 15, 0},  suffix{"E", 18, 0},  suffix{"Ki", 0, 10}, suffix{"Mi", 0, 20},
    suffix{"Gi", 0, 30}, suffix{"Ti", 0, 40}, suffix{"Pi", 0, 50}, suffix{"Ei", 0, 60}};

// What stands behind the digits: one of the suffixes, or a decimal exponent (1e3).
std::optional<suffix> read_suffix(std::string_view text) {
  if (const auto* known = std::ranges::find(suffixes, text, &suffix::text); known != suffixes.end())
    return *known;
  if (text.size() < 2 || (text[0] != 'e' && text[0] != 'E')) return std::nullopt;
  text.remove_prefix(text[1] == '+' ? 2 : 1);
  int tens = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), tens);
  if (failed != std::errc{} || end != text.data() + text.size() || tens < -64 || tens > 64)
    return std::nullopt;
  return suffix{"", tens, 0};
}

std::optional<billionths> read_quantity(std::string_view text) {
  billionths out;
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) {
    out.negative = text[0] == '-';
    text.remove_prefix(1);
  }
  int tens = 9;
  bool point = false, digits = false;
  std::size_t i = 0;
  for (; i < text.size() && (text[i] == '.' || (text[i] >= '0' && text[i] <= '9')); ++i) {
    if (text[i] == '.') {
      if (std::exchange(point, true)) return std::nullopt;
      continue;
    }
    digits = true;
    if (point) --tens;
    if (!times(out.count, 10)) return std::nullopt;
    out.count += static_cast<unsigned>(text[i] - '0');
  }
  const auto unit = read_suffix(text.substr(i));
  if (!digits || !unit || !times(out.count, wide{1} << unit->twos)) return std::nullopt;
  for (tens += unit->tens; tens > 0; --tens)
    if (!times(out.count, 10)) return std::nullopt;
  // Kubernetes rounds up what is finer than a billionth.
  for (; tens < 0; ++tens) out.count = out.count / 10 + (out.count % 10 != 0 ? 1 : 0);
  if (out.count == 0) out.negative = false;
  return out;
}

std::optional<std::string> text_of(const json::value& what) {
  if (const auto* text = what.if_string()) return std::string(*text);
  if (const auto* number = what.if_int64()) return std::to_string(*number);
  if (const auto* large = what.if_uint64()) return std::to_string(*large);
  if (what.is_double()) return boost::json::serialize(what);
  return std::nullopt;
}

bool same_quantity(const json::value& a, const json::value& b) {
  const auto left = text_of(a), right = text_of(b);
  if (!left || !right) return false;
  const auto x = read_quantity(*left), y = read_quantity(*right);
  return x && y ? *x == *y : *left == *right;
}

// An empty selector says "all"; none says nothing, and means something else in a NetworkPolicy's peer.
bool presence_matters(std::string_view key) {
  return key == "namespaceSelector" || key == "podSelector";
}

bool covered(const json::object& a, const json::object& b, bool quantities) {
  return std::ranges::all_of(a, [&](const auto& member) {
    const std::string_view key = member.key();
    if (const auto* other = b.if_contains(key))
      return same(member.value(), *other, quantities || holds_quantities(key));
    return is_empty(member.value()) && (member.value().is_null() || !presence_matters(key));
  });
}

}  // namespace

bool is_empty(const json::value& what) {
  switch (what.kind()) {
    case boost::json::kind::null:
      return true;
    case boost::json::kind::string:
      return what.get_string().empty();
    case boost::json::kind::object:
      return what.get_object().empty();
    case boost::json::kind::array:
      return what.get_array().empty();
    default:
      return false;
  }
}

bool holds_quantities(std::string_view key) {
  return key == "requests" || key == "limits" || key == "divisor" || key == "sizeLimit";
}

bool same(const json::value& a, const json::value& b, bool quantities) {
  if (a.is_object() && b.is_object())
    return covered(a.get_object(), b.get_object(), quantities) &&
           covered(b.get_object(), a.get_object(), quantities);
  if (a.is_array() && b.is_array())
    return std::ranges::equal(a.get_array(), b.get_array(),
                              [&](const auto& x, const auto& y) { return same(x, y, quantities); });
  if (is_empty(a) && is_empty(b)) return true;
  return a == b || (quantities && same_quantity(a, b));
}

}  // namespace egress::reconciler
