#include "runtime/kube/object_uid.hpp"

#include <gtest/gtest.h>

namespace egress::kube {
namespace {

constexpr std::string_view uuid = "1b4e28ba-2fa1-11d2-883f-0016d3cca427";

TEST(object_uid, is_the_text_it_was_made_of) {
  for (const auto& text : {std::string(uuid), std::string("u1"), std::string(), std::string(100, 'x')})
    EXPECT_EQ(object_uid(text).view(), text);
  EXPECT_EQ(object_uid().view(), "");
}

TEST(object_uid, compares_as_text) {
  EXPECT_EQ(object_uid(uuid), object_uid(std::string(uuid)));
  EXPECT_NE(object_uid(uuid), object_uid("1b4e28ba-2fa1-11d2-883f-0016d3cca428"));
  EXPECT_NE(object_uid(uuid), object_uid("u1"));
  EXPECT_LT(object_uid(uuid), object_uid("u1"));
  EXPECT_LT(object_uid("0"), object_uid(uuid)) << "whatever is kept how";
  EXPECT_EQ(object_uid(), object_uid(""));
}

}  // namespace
}  // namespace egress::kube
