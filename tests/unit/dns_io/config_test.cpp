#include "actors/dns/io/config.hpp"

#include <gtest/gtest.h>

namespace egress::dns {
namespace {

TEST(config, reads_upstreams_of_both_families) {
  const auto text = [](const char* written) {
    const auto read = parse_upstream(written);
    return read ? read->address().to_string() + " " + std::to_string(read->port()) : read.error().message;
  };
  EXPECT_EQ(text("10.0.0.10"), "10.0.0.10 53");
  EXPECT_EQ(text("10.0.0.10:5300"), "10.0.0.10 5300");
  EXPECT_EQ(text("fd00::10"), "fd00::10 53");
  EXPECT_EQ(text("[fd00::10]:5300"), "fd00::10 5300");
  for (const auto* wrong : {"", "x", "10.0.0.10:", "10.0.0.10:0", "10.0.0.10:65536", "host:53"})
    EXPECT_FALSE(parse_upstream(wrong)) << wrong;
}

TEST(config, reads_the_nameservers_of_a_resolv_conf) {
  EXPECT_EQ(nameservers_of("# nameserver 1.1.1.1\nsearch a.b\nnameserver 10.0.0.1\nnameserver\t fd00::1 # "
                           "x\r\nnameservers 9.9.9.9\nnameserver"),
            (std::vector<std::string>{"10.0.0.1", "fd00::1"}));
  EXPECT_TRUE(nameservers_of("").empty());
}

}  // namespace
}  // namespace egress::dns
