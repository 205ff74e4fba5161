#pragma once
// What a failed list or watch calls for.

#include <string>
#include <utility>

#include "runtime/kube/api.hpp"

namespace egress::informer {

// A failure that is noticed here rather than received from the server.
inline kube::api_error plainly(kube::api_errc code, std::string message) {
  return {.code = code, .status = 0, .reason = {}, .message = std::move(message), .retry_after = {}};
}

// The stream may be asked for again from where it was: nothing is wrong with what we have.
inline bool resumable(kube::api_errc code) {
  return code == kube::api_errc::transport || code == kube::api_errc::timed_out ||
         code == kube::api_errc::cancelled;
}

// The server does not do streaming lists (or not in this way): a plain list will do.
inline bool refuses(kube::api_errc code) {
  return code == kube::api_errc::bad_request || code == kube::api_errc::invalid;
}

// Asking for the same stream again would only give the same answer.
inline bool calls_for_plain_list(kube::api_errc code) {
  using enum kube::api_errc;
  return code == malformed || code == too_large || code == gone || code == version_too_large;
}

// How many there are cannot be asked in this way: the list itself may go well, or fails in a way of its own.
inline bool concerns_the_question(kube::api_errc code) {
  return refuses(code) || calls_for_plain_list(code) || code == kube::api_errc::forbidden;
}

}  // namespace egress::informer
