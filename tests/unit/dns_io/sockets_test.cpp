#include "actors/dns/io/sockets.hpp"

#include <set>

#include "tests/unit/dns_io/own_network.hpp"

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

// A network of its own with so many ports to choose from, for the calling thread. False without the right.
bool enter_network_of(unsigned ports) {
  if (!test::enter_own_network()) return false;
  std::ofstream("/proc/sys/net/ipv4/ip_local_port_range") << "40000 " << 40000 + ports - 1;
  return true;
}

TEST(sockets, of_any_port_get_one_that_nobody_has) {
  bool tried = false;
  std::thread([&] {
    constexpr unsigned ports = 4;
    tried = enter_network_of(ports);
    if (!tried) return;
    std::vector<dns_sockets> all;
    std::set<std::uint16_t> different;
    for (unsigned i = 0; i < ports; ++i) {
      auto next = open_dns_sockets("127.0.0.1:0", 2);
      ASSERT_TRUE(next) << next.error().message;
      different.insert(next->port);
      all.push_back(std::move(*next));
    }
    EXPECT_EQ(different.size(), ports);
    EXPECT_FALSE(open_dns_sockets("127.0.0.1:0", 1)) << "all are taken";
  }).join();
  if (!tried) GTEST_SKIP() << "no right to make a network";
}

// The option of the UDP socket that is opened for an address.
int option_of(const std::string& address, int level, int option) {
  const auto opened = open_dns_sockets(address, 1);
  int on = -1;
  socklen_t size = sizeof on;
  if (opened) ::getsockopt(opened->workers[0].udp.get(), level, option, &on, &size);
  return on;
}

TEST(sockets, of_every_address_tell_which_was_asked) {
  EXPECT_EQ(option_of("0.0.0.0:0", IPPROTO_IP, IP_PKTINFO), 1);
  EXPECT_EQ(option_of("127.0.0.1:0", IPPROTO_IP, IP_PKTINFO), 0) << "it has one only";
}

TEST(sockets, of_every_ipv6_address_tell_which_was_asked) {
  const auto told = [](const std::string& address) {
    return option_of(address, IPPROTO_IPV6, IPV6_RECVPKTINFO);
  };
  if (!open_dns_sockets("[::1]:0", 1)) GTEST_SKIP() << "no IPv6 here";
  EXPECT_EQ(told(":0"), 1);
  EXPECT_EQ(told("[::]:0"), 1);
  EXPECT_EQ(told("[::ffff:0.0.0.0]:0"), 1) << "every IPv4 address";
  EXPECT_EQ(told("[::1]:0"), 0);
}

// IP_PMTUDISC_DONT does not set DF, and yet fragments as a forged ICMP message says.
TEST(sockets, believe_nobody_who_says_that_answers_are_too_long_for_the_path) {
  for (const auto* address : {"127.0.0.1:0", "0.0.0.0:0", ":0"})
    EXPECT_EQ(option_of(address, IPPROTO_IP, IP_MTU_DISCOVER), IP_PMTUDISC_OMIT) << address;
}

TEST(sockets, need_an_address) {
  for (const auto* wrong :
       {"", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "host:53", "127.0.0.1:x", "[::1:53"})
    EXPECT_FALSE(open_dns_sockets(wrong, 1)) << wrong;
  EXPECT_TRUE(open_dns_sockets(":0", 1));
}

}  // namespace
}  // namespace egress::dns
