#include "runtime/base/flag_values.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>

namespace egress::flag_values {
namespace {

template <class T>
std::optional<T> number(std::string_view value) {
  T parsed{};
  const auto [end, code] = std::from_chars(value.data(), value.data() + value.size(), parsed);
  if (code != std::errc{} || end != value.data() + value.size() || value.empty()) return std::nullopt;
  return parsed;
}

bool is_address(int family, std::string_view value) {
  std::array<unsigned char, 16> bytes{};
  return inet_pton(family, std::string(value).c_str(), bytes.data()) == 1 && value.find('\0') == value.npos;
}

bool is_port(std::string_view value, unsigned least) {
  const auto port = number<std::uint16_t>(value);
  return port && *port >= least;
}

// "[V6]:PORT", "HOST:PORT" or ":PORT" in its two parts; the host without brackets.
struct host_port {
  std::string_view host, port;
  bool bracketed = false;
};

std::optional<host_port> split_host_port(std::string_view value) {
  const auto colon = value.rfind(':');
  if (colon == value.npos) return std::nullopt;
  auto host = value.substr(0, colon);
  const bool bracketed = host.size() >= 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  return host_port{host, value.substr(colon + 1), bracketed};
}

bool is_host_name(std::string_view host) {
  return std::ranges::all_of(host, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
  });
}

// "IP", "IP:PORT", "[IPV6]:PORT".
bool is_server_address(std::string_view value) {
  if (is_address(AF_INET, value) || is_address(AF_INET6, value)) return true;
  const auto parts = split_host_port(value);
  return parts && is_port(parts->port, 1) && is_address(parts->bracketed ? AF_INET6 : AF_INET, parts->host);
}

bool is_label(std::string_view value) {
  const auto is_alnum = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  return !value.empty() && value.size() <= 63 && is_alnum(value.front()) && is_alnum(value.back()) &&
         std::ranges::all_of(value, [&](char c) { return is_alnum(c) || c == '-'; });
}

// A name in the DNS, a dot at its end or not. Labels may have underscores there.
bool is_domain(std::string_view value) {
  if (value.ends_with('.')) value.remove_suffix(1);
  if (value.empty() || value.size() > 253 || value.ends_with('.')) return false;
  while (!value.empty()) {
    const auto label = value.substr(0, value.find('.'));
    const bool good = std::ranges::all_of(label, [](char c) { return c == '_' || is_host_name({&c, 1}); });
    if (label.empty() || label.size() > 63 || !good) return false;
    value.remove_prefix(std::min(label.size() + 1, value.size()));
  }
  return true;
}

bool is_selector_part(std::string_view value, std::string_view also) {
  return value.size() <= 316 && std::ranges::all_of(value, [&](char c) {  // 253 of prefix, '/', 63 of name
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  also.find(c) != also.npos;
         });
}

// Splits at commas; calls `take` with each item.
template <class Take>
result<void> each_item(std::string_view value, Take&& take) {
  while (true) {
    const auto comma = value.find(',');
    if (auto taken = take(value.substr(0, comma)); !taken) return taken;
    if (comma == value.npos) return {};
    value.remove_prefix(comma + 1);
  }
}

// Kubernetes' binary suffixes, the largest first.
struct byte_unit {
  std::string_view suffix;
  unsigned shift;
};
constexpr std::array<byte_unit, 3> byte_units{{{"Gi", 30}, {"Mi", 20}, {"Ki", 10}}};

}  // namespace

setter text(std::string& into, check valid) {
  return [&into, valid](std::string_view value) -> result<void> {
    if (valid)
      if (auto checked = valid(value); !checked) return checked;
    into = value;
    return {};
  };
}

setter boolean(bool& into) {
  return [&into](std::string_view value) -> result<void> {
    constexpr std::array yes{"1", "t", "T", "true", "TRUE", "True"};
    constexpr std::array no{"0", "f", "F", "false", "FALSE", "False"};
    const bool is_yes = std::ranges::find(yes, value) != yes.end();
    if (!is_yes && std::ranges::find(no, value) == no.end()) return fail("must be true or false");
    into = is_yes;
    return {};
  };
}

setter whole(unsigned& into, unsigned least, unsigned most) {
  return [&into, least, most](std::string_view value) -> result<void> {
    const auto parsed = number<unsigned>(value);
    if (!parsed || *parsed < least || *parsed > most)
      return fail("must be a whole number from {} to {}", least, most);
    into = *parsed;
    return {};
  };
}

setter real(double& into, double least, double most) {
  return [&into, least, most](std::string_view value) -> result<void> {
    const auto parsed = number<double>(value);
    if (!parsed || !std::isfinite(*parsed) || *parsed < least || *parsed > most)
      return fail("must be a number from {} to {}", least, most);
    into = *parsed;
    return {};
  };
}

setter duration(std::chrono::seconds& into, std::chrono::seconds least, std::chrono::seconds most) {
  return [&into, least, most](std::string_view value) -> result<void> {
    const auto parsed = parse_duration(value);
    if (!parsed || *parsed < least || *parsed > most)
      return fail("must be whole seconds from {} to {}, written 5s, 5 or 1m30s", to_text(least),
                  to_text(most));
    into = *parsed;
    return {};
  };
}

setter byte_size(std::uint64_t& into, std::uint64_t least, std::uint64_t most) {
  return [&into, least, most](std::string_view value) -> result<void> {
    const auto parsed = parse_byte_size(value);
    if (!parsed || (*parsed != 0 && (*parsed < least || *parsed > most)))
      return fail("must be bytes from {} to {}, written 64Mi, 65536Ki, 1Gi or 67108864; or 0",
                  byte_size_text(least), byte_size_text(most));
    into = *parsed;
    return {};
  };
}

setter list(std::vector<std::string>& into, check valid) {
  return [&into, valid](std::string_view value) -> result<void> {
    std::vector<std::string> items;
    auto taken = each_item(value, [&](std::string_view item) -> result<void> {
      if (auto checked = valid(item); !checked) return checked;
      items.emplace_back(item);
      return {};
    });
    if (taken) into.insert(into.end(), items.begin(), items.end());
    return taken;
  };
}

setter repeated(std::vector<std::string>& into, check valid) {
  return [&into, valid](std::string_view value) -> result<void> {
    if (auto checked = valid(value); !checked) return checked;
    into.emplace_back(value);
    return {};
  };
}

result<void> not_empty(std::string_view value) {
  if (value.empty()) return fail("must not be empty");
  return {};
}

result<void> listen_address(std::string_view value) {
  // So the program before us is told to serve no metrics.
  if (value == "0") return fail("must be :PORT, ADDRESS:PORT or [IPV6]:PORT: there is no listening nowhere");
  const auto parts = split_host_port(value);
  const bool good = parts && is_port(parts->port, 0) &&
                    (parts->bracketed ? is_address(AF_INET6, parts->host) : is_host_name(parts->host));
  if (!good) return fail("must be :PORT, ADDRESS:PORT or [IPV6]:PORT");
  return {};
}

result<void> dns_server(std::string_view value) {
  constexpr std::string_view tls = "tls://";
  if (value.starts_with(tls)) {
    const auto hash = value.find('#');
    const auto name = hash == value.npos ? std::string_view{} : value.substr(hash + 1);
    if (name.empty() || !is_host_name(name) ||
        !is_server_address(value.substr(tls.size(), hash - tls.size())))
      return fail("must be tls://IP#NAME or tls://IP:PORT#NAME, NAME being its certificate's");
    return {};
  }
  if (!is_server_address(value))
    return fail("must be an IP address, with :PORT behind it or not ([IPV6]:PORT), or tls://IP#NAME");
  return {};
}

result<void> dns_forward(std::string_view value) {
  const auto equals = value.find('=');
  if (equals == value.npos || !is_domain(value.substr(0, equals)))
    return fail("must be a domain and its DNS servers, such as cluster.local=10.96.0.10");
  return each_item(value.substr(equals + 1), dns_server);
}

result<void> cidr(std::string_view value) {
  const auto slash = value.find('/');
  const auto bits = slash == value.npos ? std::nullopt : number<unsigned>(value.substr(slash + 1));
  const auto address = value.substr(0, slash);
  const bool good = bits && ((*bits <= 32 && is_address(AF_INET, address)) ||
                             (*bits <= 128 && is_address(AF_INET6, address)));
  if (!good) return fail("must be address ranges such as 10.0.0.0/8 or fd00::/8");
  return {};
}

result<void> namespace_name(std::string_view value) {
  if (!is_label(value)) return fail("must be a namespace's name: a-z, 0-9 and -, at most 63");
  return {};
}

result<void> domain_name(std::string_view value) {
  // Longer ones leave no room for NAME.NAMESPACE.svc before them.
  bool good = value.size() <= 120;
  for (auto left = value; good;) {
    const auto dot = left.find('.');
    good = is_label(left.substr(0, dot));
    if (dot == left.npos) break;
    left.remove_prefix(dot + 1);
  }
  if (!good) return fail("must be a domain such as cluster.local: a-z, 0-9 and - between dots, at most 120");
  return {};
}

result<void> equality_selector(std::string_view value) {
  return each_item(value, [](std::string_view item) -> result<void> {
    const auto equals = item.find('=');
    const bool good = equals != item.npos && equals > 0 && is_selector_part(item.substr(0, equals), "-_./") &&
                      item.size() - equals - 1 <= 63 && is_selector_part(item.substr(equals + 1), "-_.");
    if (!good) return fail("must be labels of pods: KEY=VALUE, several separated by commas");
    return {};
  });
}

std::optional<std::chrono::seconds> parse_duration(std::string_view text) {
  constexpr std::int64_t longest = 1'000'000'000;  // keeps sums far from overflow
  if (const auto bare = number<std::uint32_t>(text)) return std::chrono::seconds{*bare};
  std::int64_t total = 0;
  while (!text.empty()) {
    const auto unit_at = text.find_first_not_of("0123456789");
    if (unit_at == text.npos) return std::nullopt;
    const auto count = number<std::uint32_t>(text.substr(0, unit_at));
    const char unit = text[unit_at];
    const int factor = unit == 's' ? 1 : unit == 'm' ? 60 : unit == 'h' ? 3600 : 0;
    if (!count || factor == 0) return std::nullopt;
    total += std::int64_t{*count} * factor;
    if (total > longest) return std::nullopt;
    text.remove_prefix(unit_at + 1);
    if (text.empty()) return std::chrono::seconds{total};
  }
  return std::nullopt;
}

std::string to_text(std::chrono::seconds value) {
  return fmt::format("{}s", value.count());
}

std::optional<std::uint64_t> parse_byte_size(std::string_view text) {
  unsigned shift = 0;
  for (const auto& unit : byte_units)
    if (shift == 0 && text.ends_with(unit.suffix)) {
      shift = unit.shift;
      text.remove_suffix(unit.suffix.size());
    }
  const auto count = number<std::uint64_t>(text);
  if (!count || *count > (UINT64_MAX >> shift)) return std::nullopt;
  return *count << shift;
}

std::string byte_size_text(std::uint64_t bytes) {
  for (const auto& [suffix, shift] : byte_units)
    if (bytes != 0 && bytes % (std::uint64_t{1} << shift) == 0)
      return fmt::format("{}{}", bytes >> shift, suffix);
  return fmt::format("{}", bytes);
}

}  // namespace egress::flag_values
