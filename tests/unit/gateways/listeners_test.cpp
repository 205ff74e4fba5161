#include "actors/gateways/listeners.hpp"

#include <gmock/gmock.h>

namespace egress::gateways {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(listener_names, are_what_stands_before_the_address) {
  EXPECT_THAT(listener_names("admin::0.0.0.0:11000\napi_TCP_443::[::]:443\napi_UDP_53::0.0.0.0:53\n"),
              ElementsAre("admin", "api_TCP_443", "api_UDP_53"));
  EXPECT_THAT(listener_names("api_TCP_443::0.0.0.0:443"), ElementsAre("api_TCP_443"));
}

TEST(listener_names, are_none_in_what_is_no_such_list) {
  for (const auto* const text : {"", "\n\n", "<html>", "::0.0.0.0:443\n", R"({"listener_statuses": []})"})
    EXPECT_THAT(listener_names(text), IsEmpty()) << text;
}

}  // namespace
}  // namespace egress::gateways
