#pragma once
// Which of several healthy DNS servers is asked first (--dns-policy; the names but for the first are
// CoreDNS's).

#include <cstdint>

namespace egress {

enum class upstream_policy : std::uint8_t { least_outstanding, round_robin, random, sequential };

}  // namespace egress
