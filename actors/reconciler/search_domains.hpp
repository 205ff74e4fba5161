#pragma once
// Search domains of a resolv.conf, and wildcards that cover one: with *.example.com hijacked and example.com
// searched, a resolver's every attempt NAME.example.com meets the wildcard. Pure.

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace egress::reconciler {

// Of the last "search" or "domain" line (resolv.conf(5)), as dns_name_key has them; without the root.
std::vector<std::string> search_domains_of(std::string_view resolv_conf);

// The first of the domains (as above) below which a wildcard has every name; "" when there is none, or when
// the name is no wildcard.
std::string_view covered_search_domain(std::string_view dns_name, std::span<const std::string> domains);

}  // namespace egress::reconciler
