#include "actors/dns/io/sockets.hpp"

#include <gtest/gtest.h>

namespace egress::dns {
namespace {

TEST(sockets, of_all_workers_share_one_port) {
  const auto opened = open_dns_sockets("127.0.0.1:0", 3);
  ASSERT_TRUE(opened) << opened.error().message;
  EXPECT_EQ(opened->workers.size(), 3u);
  EXPECT_NE(opened->port, 0);
  EXPECT_EQ(opened->address, "127.0.0.1:" + std::to_string(opened->port));
}

TEST(sockets, are_not_shared_with_another_program) {
  const auto first = open_dns_sockets("127.0.0.1:0", 1);
  ASSERT_TRUE(first);
  const auto second = open_dns_sockets(first->address, 1);
  ASSERT_FALSE(second);
  EXPECT_NE(second.error().message.find(first->address), std::string::npos);
  EXPECT_NE(second.error().message.find("in use"), std::string::npos);
}

TEST(sockets, need_an_address) {
  for (const auto* wrong :
       {"", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "host:53", "127.0.0.1:x", "[::1:53"})
    EXPECT_FALSE(open_dns_sockets(wrong, 1)) << wrong;
  EXPECT_TRUE(open_dns_sockets(":0", 1));
}

}  // namespace
}  // namespace egress::dns
