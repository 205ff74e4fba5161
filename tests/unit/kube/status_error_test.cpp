#include "runtime/kube/status_error.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace egress::kube {
namespace {

std::string status(int code, std::string_view reason, std::string_view message,
                   std::string_view details = "{}") {
  return fmt::format(R"({{"kind":"Status","apiVersion":"v1","status":"Failure","code":{},"reason":"{}",)"
                     R"("message":"{}","details":{}}})",
                     code, reason, message, details);
}

status_parts reason_only(std::string_view reason) {
  status_parts out;
  out.reason = reason;
  return out;
}

TEST(status_error, says_what_the_caller_must_do) {
  struct row {
    int code;
    std::string_view reason, message, details;
    api_errc expected;
  };
  const row rows[] = {
      {400, "BadRequest", "m", "{}", api_errc::bad_request},
      {401, "Unauthorized", "m", "{}", api_errc::unauthorized},
      {403, "Forbidden", "m", "{}", api_errc::forbidden},
      {404, "NotFound", "m", "{}", api_errc::not_found},
      {405, "MethodNotAllowed", "m", "{}", api_errc::bad_request},
      {409, "AlreadyExists", "m", "{}", api_errc::already_exists},
      {409, "Conflict", "m", "{}", api_errc::conflict},
      {410, "Expired", "m", "{}", api_errc::gone},
      {410, "Gone", "m", "{}", api_errc::gone},
      {415, "UnsupportedMediaType", "m", "{}", api_errc::bad_request},
      {422, "Invalid", "m", "{}", api_errc::invalid},
      {429, "TooManyRequests", "m", "{}", api_errc::too_many_requests},
      {500, "InternalError", "m", "{}", api_errc::server_error},
      {503, "ServiceUnavailable", "m", "{}", api_errc::server_error},
      {503, "ServiceUnavailable", "m", R"({"retryAfterSeconds":2})", api_errc::too_many_requests},
      {504, "Timeout", "m", "{}", api_errc::server_error},
      {504, "Timeout", "Too large resource version: 9, current: 3", "{}", api_errc::version_too_large},
      {504, "Timeout", "m", R"({"causes":[{"reason":"ResourceVersionTooLarge"}]})",
       api_errc::version_too_large},
  };
  for (const auto& row : rows) {
    const auto error = classify(row.code, status(row.code, row.reason, row.message, row.details));
    EXPECT_EQ(error.code, row.expected) << row.code << " " << row.reason;
    EXPECT_EQ(error.status, row.code);
    EXPECT_EQ(error.reason, row.reason);
    EXPECT_EQ(error.message, row.message);
  }
}

TEST(status_error, copes_with_a_body_that_is_no_status) {
  const auto error = classify(502, "<html>\r\nBad\tGateway</html>\n");
  EXPECT_EQ(error.code, api_errc::server_error);
  EXPECT_EQ(error.message, "HTTP 502: <html>  Bad Gateway</html>");
  EXPECT_EQ(classify(404, "").message, "HTTP 404");
  EXPECT_EQ(classify(304, "").code, api_errc::malformed);
}

TEST(status_error, the_header_wins_over_the_body) {
  EXPECT_EQ(classify(429, status(429, "TooManyRequests", "m", R"({"retryAfterSeconds":5})")).retry_after,
            std::chrono::seconds(5));
  EXPECT_EQ(classify(429, status(429, "TooManyRequests", "m", R"({"retryAfterSeconds":5})"),
                     std::chrono::seconds(1))
                .retry_after,
            std::chrono::seconds(1));
}

TEST(status_error, nobody_is_asked_to_wait_for_more_than_an_hour) {
  EXPECT_EQ(classify(429, status(429, "TooManyRequests", "m", R"({"retryAfterSeconds":86400})")).retry_after,
            std::chrono::seconds(3600));
  EXPECT_EQ(classify(503, "", std::chrono::seconds(4'294'967'295)).retry_after, std::chrono::seconds(3600));
}

TEST(status_error, a_reason_alone_is_enough) {
  EXPECT_EQ(classify(reason_only("Expired")).code, api_errc::gone);
  EXPECT_EQ(classify(reason_only("TooManyRequests")).status, 429);
  EXPECT_EQ(classify(reason_only("Nonsense")).code, api_errc::server_error);
}

TEST(status_error, a_line_is_cut_between_characters) {
  EXPECT_EQ(one_line("ab\xC3\xA4", 3), "ab");
  EXPECT_EQ(one_line("a\nb\x7F"), "a b");
}

}  // namespace
}  // namespace egress::kube
