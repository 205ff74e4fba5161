#include "runtime/kube/status_error.hpp"

#include <algorithm>
#include <array>

#include "runtime/kube/json_text.hpp"

namespace egress::kube {
namespace {

constexpr std::chrono::seconds longest_wait{3600};

std::optional<std::int64_t> number_at(const json::object& in, std::string_view name) {
  const auto* found = in.if_contains(name);
  const auto* number = found == nullptr ? nullptr : found->if_int64();
  return number == nullptr ? std::nullopt : std::optional(*number);
}

void read_details(const json::object& details, status_parts& parts) {
  if (const auto seconds = number_at(details, "retryAfterSeconds"); seconds && *seconds > 0)
    parts.retry_after = std::chrono::seconds(std::min<std::int64_t>(*seconds, longest_wait.count()));
  const auto* causes = details.if_contains("causes");
  if (causes == nullptr || !causes->is_array()) return;
  for (const auto& cause : causes->get_array())
    if (const auto* entry = cause.if_object();
        entry != nullptr && json::text_at(*entry, "reason") == "ResourceVersionTooLarge")
      parts.version_too_large = true;
}

struct known_reason {
  std::string_view reason;
  int code;
};
// metav1.StatusReason, for a Status without a code.
constexpr std::array known_reasons{known_reason{"Unauthorized", 401},
                                   known_reason{"Forbidden", 403},
                                   known_reason{"NotFound", 404},
                                   known_reason{"AlreadyExists", 409},
                                   known_reason{"Conflict", 409},
                                   known_reason{"Gone", 410},
                                   known_reason{"Expired", 410},
                                   known_reason{"Invalid", 422},
                                   known_reason{"TooManyRequests", 429},
                                   known_reason{"BadRequest", 400},
                                   known_reason{"MethodNotAllowed", 405},
                                   known_reason{"UnsupportedMediaType", 415},
                                   known_reason{"NotAcceptable", 406},
                                   known_reason{"RequestEntityTooLarge", 413},
                                   known_reason{"InternalError", 500},
                                   known_reason{"ServerTimeout", 500},
                                   known_reason{"ServiceUnavailable", 503},
                                   known_reason{"Timeout", 504}};

int code_of(const status_parts& parts) {
  if (parts.code != 0) return parts.code;
  const auto* known = std::ranges::find(known_reasons, parts.reason, &known_reason::reason);
  return known == known_reasons.end() ? 500 : known->code;
}

api_errc errc_of(const status_parts& parts, int code) {
  if (code == 410 || parts.reason == "Expired" || parts.reason == "Gone") return api_errc::gone;
  // The cause came with Kubernetes 1.19; the text is older, and is what client-go falls back to.
  if (parts.version_too_large || parts.message.contains("Too large resource version"))
    return api_errc::version_too_large;
  switch (code) {
    case 401:
      return api_errc::unauthorized;
    case 403:
      return api_errc::forbidden;
    case 404:
      return api_errc::not_found;
    case 408:
      return api_errc::timed_out;
    case 409:
      return parts.reason == "AlreadyExists" ? api_errc::already_exists : api_errc::conflict;
    case 422:
      return api_errc::invalid;
    case 429:
      return api_errc::too_many_requests;
    case 503:
      return parts.retry_after ? api_errc::too_many_requests : api_errc::server_error;
    default:
      break;
  }
  if (code >= 500) return api_errc::server_error;
  return code >= 400 ? api_errc::bad_request : api_errc::malformed;
}

}  // namespace

std::string one_line(std::string_view text, std::size_t most) {
  auto end = std::min(text.size(), most);
  // Not in the middle of a UTF-8 character.
  while (end < text.size() && end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
  std::string out(text.substr(0, end));
  std::ranges::replace_if(out, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }, ' ');
  while (out.ends_with(' ')) out.pop_back();
  return out;
}

api_error classify(const status_parts& parts) {
  const int code = code_of(parts);
  api_error out;
  out.code = errc_of(parts, code);
  out.status = code;
  out.reason = one_line(parts.reason, 128);
  out.message = one_line(parts.message);
  out.retry_after = parts.retry_after;
  return out;
}

api_error classify(int http_status, std::string_view body, std::optional<std::chrono::seconds> retry_after) {
  status_parts parts;
  json::object status;
  // A body that is not small is not a Status.
  if (auto parsed = json::parse_object(body.substr(0, 1U << 20U));
      parsed && json::text_at(*parsed, "kind") == "Status")
    status = std::move(*parsed);
  parts.code = http_status;
  parts.reason = json::text_at(status, "reason");
  parts.message = json::text_at(status, "message");
  if (const auto* details = status.if_contains("details"); details != nullptr && details->is_object())
    read_details(details->get_object(), parts);
  if (retry_after) parts.retry_after = std::min(*retry_after, longest_wait);
  std::string text;
  if (parts.message.empty()) {
    text = "HTTP " + std::to_string(http_status);
    if (const auto said = one_line(body, 200); status.empty() && !said.empty()) text += ": " + said;
    parts.message = text;
  }
  return classify(parts);
}

}  // namespace egress::kube
