#pragma once
// What the API server refused, from its answer: an HTTP status and (mostly) a metav1.Status. Pure.

#include <chrono>
#include <optional>
#include <string_view>

#include "runtime/kube/api.hpp"

namespace egress::kube {

// For an answer with a status other than 2xx. The body may be anything: a proxy's HTML too. retry_after is
// the header's; without it the Status' own retryAfterSeconds counts.
api_error classify(int http_status, std::string_view body,
                   std::optional<std::chrono::seconds> retry_after = std::nullopt);

// What the parts of a Status say; used for the ERROR events of a watch too.
struct status_parts {
  int code = 0;
  std::string_view reason, message;
  bool version_too_large = false;  // a cause ResourceVersionTooLarge
  std::optional<std::chrono::seconds> retry_after;
};
api_error classify(const status_parts& parts);

// Server text as one line of at most `most` bytes: control characters become spaces.
std::string one_line(std::string_view text, std::size_t most = 1024);

}  // namespace egress::kube
