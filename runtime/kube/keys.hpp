#pragma once
// Labels and annotations that existing clusters rely on: what renders them, what reads them and what compares
// them spell them alike.

#include <string_view>

namespace egress::kube::keys {

inline constexpr std::string_view app = "app";
inline constexpr std::string_view app_value = "egress-gateway";
inline constexpr std::string_view gateway = "egress.monzo.com/gateway";
inline constexpr std::string_view hijack_dns = "egress.monzo.com/hijack-dns";
// Annotations.
inline constexpr std::string_view dns_name = "egress.monzo.com/dns-name";
inline constexpr std::string_view config_hash = "egress.monzo.com/config-hash";
inline constexpr std::string_view admin_port = "egress.monzo.com/admin-port";
inline constexpr std::string_view topology_mode = "service.kubernetes.io/topology-mode";

}  // namespace egress::kube::keys
