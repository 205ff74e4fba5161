#include "actors/reconciler/address.hpp"

#include <arpa/inet.h>

#include <charconv>
#include <string>

namespace egress::reconciler {
namespace {

bool reads_as(int family, std::string_view text) {
  in6_addr into{};
  // A NUL inside would end the text early.
  return !text.contains('\0') && inet_pton(family, std::string(text).c_str(), &into) == 1;
}

}  // namespace

bool is_ipv4(std::string_view text) {
  return reads_as(AF_INET, text);
}

bool is_ip_address(std::string_view text) {
  return is_ipv4(text) || reads_as(AF_INET6, text);
}

bool is_cidr(std::string_view text) {
  const auto slash = text.find('/');
  if (slash == std::string_view::npos) return false;
  const auto address = text.substr(0, slash), length = text.substr(slash + 1);
  if (!is_ip_address(address) || length.empty() || length.size() > 3) return false;
  unsigned bits = 0;
  const auto [end, failed] = std::from_chars(length.data(), length.data() + length.size(), bits);
  return failed == std::errc{} && end == length.data() + length.size() &&
         bits <= (is_ipv4(address) ? 32U : 128U);
}

}  // namespace egress::reconciler
