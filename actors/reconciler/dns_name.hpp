#pragma once
// Names of hosts and of objects. Pure.

#include <string>
#include <string_view>

namespace egress::reconciler {

// Equal for names that DNS takes for one: lower case, without the trailing dot (RFC 4343, RFC 1034
// section 3.1).
std::string dns_name_key(std::string_view name);

// Whether a name is this domain, or below it.
bool is_at_or_below(std::string_view name, std::string_view domain);

// RFC 1123 host name: labels of letters, digits and inner hyphens, 1 to 63 long each, 253 in all; a trailing
// dot may follow.
bool is_host_name(std::string_view name);

// RFC 1035 label: a lower-case letter, then lower-case letters, digits and inner hyphens, 63 at most.
bool is_rfc1035_label(std::string_view name);

}  // namespace egress::reconciler
