#include "actors/reconciler/dns_name.hpp"

#include <algorithm>

namespace egress::reconciler {
namespace {

constexpr bool lower(char c) {
  return c >= 'a' && c <= 'z';
}
constexpr bool digit(char c) {
  return c >= '0' && c <= '9';
}
constexpr char to_lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

bool is_label(std::string_view label) {
  return !label.empty() && label.size() <= 63 && label.front() != '-' && label.back() != '-' &&
         std::ranges::all_of(label, [](char c) { return lower(to_lower(c)) || digit(c) || c == '-'; });
}

}  // namespace

std::string dns_name_key(std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  std::string key(name);
  std::ranges::transform(key, key.begin(), to_lower);
  return key;
}

bool is_at_or_below(std::string_view name, std::string_view domain) {
  const auto below = dns_name_key(domain);
  const auto key = dns_name_key(name);
  return key == below || key.ends_with("." + below);
}

bool is_host_name(std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  if (name.empty() || name.size() > 253) return false;
  for (;;) {
    const auto dot = name.find('.');
    if (!is_label(name.substr(0, dot))) return false;
    if (dot == std::string_view::npos) return true;
    name.remove_prefix(dot + 1);
  }
}

bool is_rfc1035_label(std::string_view name) {
  return is_label(name) && lower(name.front()) &&
         std::ranges::none_of(name, [](char c) { return c != to_lower(c); });
}

}  // namespace egress::reconciler
