#include "runtime/kube/base64.hpp"

#include <gtest/gtest.h>

namespace egress::kube {
namespace {

using namespace std::string_literals;

TEST(base64, is_read_as_rfc_4648_has_it) {
  const struct {
    std::string text, plain;
  } table[] = {
      {"", ""},
      {"Zg==", "f"},
      {"Zm8=", "fo"},
      {"Zm9v", "foo"},
      {"Zm9vYg==", "foob"},
      {"Zm9vYmE=", "fooba"},
      {"Zm9vYmFy", "foobar"},
      {"Zg", "f"},  // without padding, as some write it
      {"Zm8", "fo"},
      {"AAAA", "\0\0\0"s},
      {"////", "\xff\xff\xff"},
      {"+/+/", "\xfb\xff\xbf"},
      {"Zm9v\nYmFy\r\n", "foobar"},
      {" Zm9vYg==\n", "foob"},
  };
  for (const auto& [text, plain] : table) EXPECT_EQ(from_base64(text), plain) << text;
}

TEST(base64, is_nothing_when_it_is_something_else) {
  for (const auto& text :
       {"Z"s, "Zm9vY"s, "="s, "===="s, "Z==="s, "Zg="s, "Zg==="s, "Zm8=="s, "Zm9v="s, "Zg==Zg=="s, "Zm=v"s,
        "Zm9*"s, "Zm9_"s, "Zm9-"s, "Zm9\0"s, "Zm9\xff"s, "Zm9\t"s, "-----BEGIN CERTIFICATE-----"s})
    EXPECT_FALSE(from_base64(text)) << text;
}

}  // namespace
}  // namespace egress::kube
