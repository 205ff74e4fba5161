#include "runtime/http/request_text.hpp"

#include <gtest/gtest.h>

namespace egress::http {
namespace {

const base_url server{true, "fd00::1", "6443", ""};

std::string text_of(const client_request& what) {
  const auto made = request_text(what, server);
  return made ? *made : "refused: " + made.error().message;
}

TEST(request_text, is_what_goes_over_the_wire) {
  EXPECT_EQ(
      text_of({"GET", "/api?a=b", {{"Accept", "x/y"}, {"Authorization", "Bearer t"}}, ""}),
      "GET /api?a=b HTTP/1.1\r\nHost: [fd00::1]:6443\r\nAccept: x/y\r\nAuthorization: Bearer t\r\n\r\n");
  EXPECT_EQ(text_of({"PATCH", "/", {}, "{}"}),
            "PATCH / HTTP/1.1\r\nHost: [fd00::1]:6443\r\nContent-Length: 2\r\n\r\n{}");
}

TEST(request_text, asks_below_the_path_of_the_server) {
  const auto made = request_text({"GET", "/api", {}, ""}, {false, "h", "80", "/prefix"});
  ASSERT_TRUE(made);
  EXPECT_EQ(*made, "GET /prefix/api HTTP/1.1\r\nHost: h\r\n\r\n");
}

TEST(request_text, says_that_there_is_no_body_where_one_is_expected) {
  EXPECT_TRUE(text_of({"POST", "/", {}, ""}).ends_with("\r\nContent-Length: 0\r\n\r\n"));
  EXPECT_FALSE(text_of({"DELETE", "/", {}, ""}).contains("Content-Length"));
}

TEST(request_text, lets_nothing_break_out_of_its_place) {
  const std::string refused = "refused: ";
  for (const auto* const target : {"", "/a b", "/a\r\nX: y", "/\x7f"})
    EXPECT_TRUE(text_of({"GET", target, {}, ""}).starts_with(refused)) << target;
  for (const auto* const method : {"", "GET /", "G\nT"})
    EXPECT_TRUE(text_of({method, "/", {}, ""}).starts_with(refused)) << method;
  for (const auto& [name, value] :
       std::vector<std::pair<std::string, std::string>>{{"", "x"},
                                                        {"A:", "x"},
                                                        {"A b", "x"},
                                                        {"A", "x\r\nB: y"},
                                                        {"A", "x\ny"},
                                                        {"A", std::string("x\0y", 3)}})
    EXPECT_TRUE(text_of({"GET", "/", {{name, value}}, ""}).starts_with(refused)) << name << value;
  EXPECT_EQ(
      text_of({"GET", "/", {{"Authorization", "Bearer a\nb"}}, ""}),
      "refused: the header field \"Authorization\" cannot be sent: it is one of ours, or has a character no "
      "field may have")
      << "and does not tell the token";
}

TEST(request_text, leaves_nobody_else_to_say_where_it_ends) {
  for (const auto* const name : {"Host", "content-length", "Transfer-Encoding"})
    EXPECT_TRUE(text_of({"POST", "/", {{name, "x"}}, "{}"}).starts_with("refused: ")) << name;
}

}  // namespace
}  // namespace egress::http
