#pragma once
// The label egress.monzo.com/hijack-dns of a gateway's Service: whether DNS answers with its ClusterIP. Pure.

#include <string_view>

namespace egress::desired {

inline constexpr std::string_view hijack_false = "false";
inline constexpr std::string_view hijack_true = "true";
inline constexpr std::string_view hijack_waiting = "waiting-for-pods";

// hijack_dns | pods are ready | now                    | next
// false      | any            | any                    | false
// true       | yes            | any                    | true
// true       | no             | true                   | true: missing pods never un-hijack a name
// true       | no             | anything else, or none | waiting-for-pods
constexpr std::string_view next_hijack_label(bool hijack_dns, bool ready, std::string_view now) {
  if (!hijack_dns) return hijack_false;
  return ready || now == hijack_true ? hijack_true : hijack_waiting;
}

}  // namespace egress::desired
