#pragma once
// IP addresses and ranges as text. Pure.

#include <string_view>

namespace egress::reconciler {

bool is_ipv4(std::string_view text);        // four decimal numbers, no leading zeros
bool is_ip_address(std::string_view text);  // IPv4, or IPv6 (RFC 4291) without a zone
bool is_cidr(std::string_view text);        // "10.0.0.0/8", "fd00::/8"

}  // namespace egress::reconciler
