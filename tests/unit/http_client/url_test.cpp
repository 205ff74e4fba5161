#include "runtime/http/url.hpp"

#include <gtest/gtest.h>

namespace egress::http {
namespace {

TEST(base_url, is_taken_apart) {
  const struct {
    std::string text;
    bool tls;
    std::string host, port, prefix, authority;
  } table[] = {
      {"https://h", true, "h", "443", "", "h"},
      {"http://h", false, "h", "80", "", "h"},
      {"https://h:80", true, "h", "80", "", "h:80"},
      {"http://h:443/", false, "h", "443", "", "h:443"},
      {"https://h:6443/a/b//", true, "h", "6443", "/a/b", "h:6443"},
      {"https://h/a:b", true, "h", "443", "/a:b", "h"},
      {"https://h:", true, "h", "443", "", "h"},
      {"https://h:000443", true, "h", "443", "", "h"},
      {"https://10.0.0.1:1", true, "10.0.0.1", "1", "", "10.0.0.1:1"},
      {"https://[::1]", true, "::1", "443", "", "[::1]"},
      {"http://[fd00::1]:8080/x", false, "fd00::1", "8080", "/x", "[fd00::1]:8080"},
      {"https://h:65535", true, "h", "65535", "", "h:65535"},
  };
  for (const auto& row : table) {
    const auto got = parse_base_url(row.text);
    ASSERT_TRUE(got) << row.text << ": " << got.error().message;
    EXPECT_EQ(got->tls, row.tls) << row.text;
    EXPECT_EQ(got->host, row.host) << row.text;
    EXPECT_EQ(got->port, row.port) << row.text;
    EXPECT_EQ(got->path_prefix, row.prefix) << row.text;
    EXPECT_EQ(got->authority(), row.authority) << row.text;
  }
}

TEST(base_url, is_refused_with_what_is_wrong) {
  using namespace std::string_literals;
  const struct {
    std::string text, says;
  } table[] = {
      {"", "must begin with"},
      {"h:443", "must begin with"},
      {"ftp://h", "must begin with"},
      {"HTTPS://h", "must begin with"},
      {"https://", "no host"},
      {"https:///a", "no host"},
      {"https://:443", "no host"},
      {"https://[]:1", "no host"},
      {"https://h:0", "is no port"},
      {"https://h:65536", "is no port"},
      {"https://h:4294967739", "is no port"},
      {"https://h:-1", "is no port"},
      {"https://h:+1", "is no port"},
      {"https://h:x", "is no port"},
      {"https://h:1x", "is no port"},
      {"https://[::1", "not closed"},
      {"https://[::1]1", "no port follows"},
      {"https://::1", "in brackets"},
      {"https://::1:443", "in brackets"},
      {"https://h]:1", "in brackets"},
      {"https://user:secret@h", "only scheme"},
      {"https://h?a=b", "only scheme"},
      {"https://h/#a", "only scheme"},
      {"https://h /", "no URL has"},
      {"https://h\r\nX-Remote-User: root", "no URL has"},
      {"https://h/a\tb", "no URL has"},
      {"https://h\0x"s, "no URL has"},
      {"https://h\xc3\xb6", "no URL has"},
  };
  for (const auto& [text, says] : table) {
    const auto got = parse_base_url(text);
    ASSERT_FALSE(got) << text;
    EXPECT_TRUE(got.error().message.contains(says)) << got.error().message;
    EXPECT_FALSE(got.error().message.contains('\n')) << got.error().message;
  }
}

TEST(base_url, tells_host_and_port_as_client_go_does) {
  for (const auto& [text, shown] :
       {std::pair{"https://10.0.0.1", "10.0.0.1:443"},
        std::pair{"https://[fd00::1]:6443/api", "[fd00::1]:6443"}, std::pair{"http://h", "h:80"}})
    EXPECT_EQ(parse_base_url(text)->host_and_port(), shown);
}

TEST(percent_encode, leaves_nothing_that_means_something_in_a_url) {
  std::string all;
  for (int c = 0; c < 256; ++c) all += static_cast<char>(c);
  const auto coded = percent_encode(all);
  EXPECT_EQ(coded.find_first_of(std::string("\0 \r\n/?#&=+:@[]", 14)), std::string::npos);
  EXPECT_TRUE(coded.starts_with("%00%01"));
  EXPECT_TRUE(coded.ends_with("%FE%FF"));
  EXPECT_TRUE(coded.contains("abcdefghijklmnopqrstuvwxyz"));
  EXPECT_EQ(coded.size(), 66U + 3 * 190U);  // 66 are unreserved
  EXPECT_EQ(percent_encode("a-b._~9"), "a-b._~9");
  EXPECT_EQ(percent_encode(""), "");
}

}  // namespace
}  // namespace egress::http
