#include "actors/dns/io/config.hpp"

#include <gtest/gtest.h>

namespace egress::dns {
namespace {

TEST(config, reads_upstreams_of_both_families) {
  const auto text = [](const char* written) {
    const auto read = parse_upstream(written);
    return read ? to_text(read->address) + " " + read->tls_name : read.error().message;
  };
  EXPECT_EQ(text("10.0.0.10"), "10.0.0.10:53 ");
  EXPECT_EQ(text("10.0.0.10:5300"), "10.0.0.10:5300 ");
  EXPECT_EQ(text("fd00::10"), "[fd00::10]:53 ");
  EXPECT_EQ(text("[fd00::10]:5300"), "[fd00::10]:5300 ");
  EXPECT_EQ(text("tls://10.0.0.10#dns.example"), "10.0.0.10:853 dns.example");
  EXPECT_EQ(text("tls://[fd00::10]:8853#dns.example"), "[fd00::10]:8853 dns.example");
  for (const auto* wrong :
       {"", "x", "10.0.0.10:", "10.0.0.10:0", "10.0.0.10:65536", "host:53", "tls://10.0.0.10",
        "tls://10.0.0.10#", "tls://#dns.example", "10.0.0.10#dns.example"})
    EXPECT_FALSE(parse_upstream(wrong)) << wrong;
}

TEST(config, reads_the_upstreams_of_a_domain) {
  const auto read = parse_forward("Cluster.local=10.0.0.10,10.0.0.11:5300");
  ASSERT_TRUE(read);
  EXPECT_EQ(to_text(read->domain.view()), "cluster.local");
  ASSERT_EQ(read->servers.size(), 2u);
  EXPECT_EQ(to_text(read->servers[1].address), "10.0.0.11:5300");
  for (const auto* wrong : {"", "a.b", "=10.0.0.10", "a.b=", "a.b=10.0.0.10,", "a..b=10.0.0.10", "a.b=c.d"})
    EXPECT_FALSE(parse_forward(wrong)) << wrong;
}

TEST(config, reads_the_nameservers_of_a_resolv_conf) {
  EXPECT_EQ(nameservers_of("# nameserver 1.1.1.1\nsearch a.b\nnameserver 10.0.0.1\nnameserver\t fd00::1 # "
                           "x\r\nnameservers 9.9.9.9\nnameserver"),
            (std::vector<std::string>{"10.0.0.1", "fd00::1"}));
  EXPECT_TRUE(nameservers_of("").empty());
}

}  // namespace
}  // namespace egress::dns
