#pragma once
// RFC 4648 base64, as kubeconfigs carry it.

#include <optional>
#include <string>
#include <string_view>

namespace egress::kube {

// Line breaks are skipped; nothing when it is not base64. Pure.
std::optional<std::string> from_base64(std::string_view text);

}  // namespace egress::kube
