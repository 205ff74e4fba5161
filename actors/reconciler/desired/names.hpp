#pragma once
// The labels and annotations that existing clusters rely on.

#include <string_view>

namespace egress::desired {

inline constexpr std::string_view app_label = "app";
inline constexpr std::string_view app_value = "egress-gateway";
inline constexpr std::string_view gateway_label = "egress.monzo.com/gateway";
inline constexpr std::string_view hijack_label = "egress.monzo.com/hijack-dns";
inline constexpr std::string_view dns_name_annotation = "egress.monzo.com/dns-name";
inline constexpr std::string_view config_hash_annotation = "egress.monzo.com/config-hash";
inline constexpr std::string_view admin_port_annotation = "egress.monzo.com/admin-port";
inline constexpr std::string_view topology_mode_annotation = "service.kubernetes.io/topology-mode";

}  // namespace egress::desired
