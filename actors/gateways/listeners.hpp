#pragma once
// Which listeners a gateway's pod says it has. Pure.

#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace egress::gateways {

// What became of asking one pod.
struct pod_answer {
  std::set<std::string, std::less<>> listeners;  // by name
  std::string failure{};                         // one line; "" when it has answered
  friend bool operator==(const pod_answer&, const pod_answer&) = default;
};

// The names in Envoy's GET /listeners, a line each: "api_TCP_443::0.0.0.0:443".
std::set<std::string, std::less<>> listener_names(std::string_view text);

}  // namespace egress::gateways
