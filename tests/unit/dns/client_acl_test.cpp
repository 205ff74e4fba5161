#include "actors/dns/client_acl.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>

namespace egress::dns {
namespace {

address_bytes address(const char* text) {
  address_bytes bytes{};
  std::uint8_t v4[4];
  if (inet_pton(AF_INET, text, v4) == 1) return map_v4(v4);
  EXPECT_EQ(inet_pton(AF_INET6, text, bytes.data()), 1) << text;
  return bytes;
}

TEST(client_acl, lets_private_clients_in_by_default) {
  const auto list = client_acl::parse({}).value();
  for (const auto* inside : {"127.0.0.1", "10.1.2.3", "172.31.255.255", "192.168.0.1", "169.254.1.1", "::1",
                             "fe80::1", "fd12::1", "::ffff:10.0.0.1"})
    EXPECT_TRUE(list.allows(address(inside))) << inside;
  for (const auto* outside : {"8.8.8.8", "172.32.0.1", "2001:db8::1", "::ffff:8.8.8.8", "::2"})
    EXPECT_FALSE(list.allows(address(outside))) << outside;
}

TEST(client_acl, takes_networks_and_single_addresses) {
  const auto list = client_acl::parse({"203.0.113.128/25", "2001:db8::/33", "198.51.100.7"}).value();
  EXPECT_TRUE(list.allows(address("203.0.113.200")));
  EXPECT_FALSE(list.allows(address("203.0.113.127")));
  EXPECT_TRUE(list.allows(address("2001:db8:7fff::1")));
  EXPECT_FALSE(list.allows(address("2001:db8:8000::1")));
  EXPECT_TRUE(list.allows(address("198.51.100.7")));
  EXPECT_FALSE(list.allows(address("198.51.100.8")));
  EXPECT_FALSE(list.allows(address("127.0.0.1")));
}

// IPv4 clients are kept mapped (::ffff:0:0/96), which is below these; nobody who writes them means that.
TEST(client_acl, of_ipv6_networks_lets_no_ipv4_client_in) {
  for (const auto* wide : {"::/0", "::/1", "::/64", "::ffff:0:0/80"}) {
    const auto list = client_acl::parse({wide}).value();
    EXPECT_FALSE(list.allows(address("8.8.8.8"))) << wide;
    EXPECT_FALSE(any_has(list.packed(), address("8.8.8.8"))) << wide;
    EXPECT_TRUE(list.allows(address("::1"))) << wide;
    EXPECT_TRUE(any_has(list.packed(), address("::1"))) << wide;
  }
  EXPECT_TRUE(client_acl::parse({"::/0"}).value().allows(address("2001:db8::1")));
  EXPECT_TRUE(client_acl::parse({"::/0", "0.0.0.0/0"}).value().allows(address("8.8.8.8")));
  const auto mapped = client_acl::parse({"::ffff:10.0.0.0/104"}).value();
  EXPECT_TRUE(mapped.allows(address("10.1.2.3"))) << "written so, it is meant so";
  EXPECT_FALSE(mapped.allows(address("11.1.2.3")));
  const auto all_v4 = client_acl::parse({"0.0.0.0/0"}).value();
  EXPECT_TRUE(all_v4.allows(address("8.8.8.8")));
  EXPECT_FALSE(all_v4.allows(address("::1")));
}

TEST(client_acl, of_a_file_has_prefixes_of_128_bits_at_most) {
  auto packed = client_acl::parse({"10.1.0.0/16", "fd01::1"})->packed();
  EXPECT_TRUE(are_packed_networks(packed));
  EXPECT_TRUE(are_packed_networks({}));
  EXPECT_FALSE(are_packed_networks(bytes(packed).first(packed.size() - 1)));
  packed[17] = 129;
  EXPECT_FALSE(are_packed_networks(packed));
}

TEST(client_acl, names_what_is_no_network) {
  for (const auto* wrong :
       {"10.0.0.0/33", "10.0.0/8", "::/129", "x", "10.0.0.0/", "10.0.0.0/8x", "10.0.0.0/-1"}) {
    const auto list = client_acl::parse({"127.0.0.0/8", wrong});
    ASSERT_FALSE(list) << wrong;
    EXPECT_NE(list.error().message.find(wrong), std::string::npos);
  }
}

}  // namespace
}  // namespace egress::dns
